/// What is logged, and where to.
extension ConfigurationReader {
    mutating func readLog(
        _ key: String, _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> Bool {
        switch key {
        case "debug": configuration.log.debug = try value.boolean(key)
        case "trace": configuration.log.trace = try value.boolean(key)
        case "trace_verbose":
            configuration.log.traceVerbose = try value.boolean(key)
            if configuration.log.traceVerbose { configuration.log.trace = true }
        case "logtime": configuration.log.showsTime = try value.boolean(key)
        case "logtime_utc": configuration.log.usesUTC = try value.boolean(key)
        case "logfile", "log_file": configuration.log.file = try value.optionalString(key)
        case "logfile_size_limit", "log_size_limit":
            configuration.log.fileBytesMax = try value.integerOrZero(key)
        case "logfile_max_num", "log_max_num":
            configuration.log.filesMax = try value.integerOrZero(key)
        case "syslog": configuration.log.syslog = try value.boolean(key)
        case "remote_syslog": configuration.log.remoteSyslog = try value.optionalString(key)
        default: return false
        }
        return true
    }
}
