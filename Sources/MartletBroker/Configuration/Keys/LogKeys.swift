/// What is logged, and where to.
extension ConfigurationTable {
    static let logs: [Key<BrokerConfiguration>] = [
        Key(
            "debug", sets: \.log.debug, takes: .toggle, flags: ["D", "debug", "DV", "DVV"],
            "Logs at the debug level too."),
        Key(
            "trace", sets: \.log.trace, takes: .toggle, flags: ["V", "trace", "VV", "DV", "DVV"],
            "Logs the protocol."),
        Key(
            "trace_verbose", sets: \.log.traceVerbose, takes: .toggle, flags: ["VV", "DVV"],
            "Logs the protocol of the system account too.",
            also: { isOn, root in if isOn { root.log.trace = true } }),
        Key(
            "max_traced_msg_len", sets: \.log.tracedMessageBytesMax,
            takes: .numberOrZero("a number of bytes; 0 and less show all"),
            flags: ["max_traced_msg_len"],
            "Payload bytes shown of each traced message."),
        Key(
            "logtime", sets: \.log.showsTime, takes: .toggle, flags: ["T", "logtime"],
            "Starts each line with the time."),
        Key(
            "logtime_utc", sets: \.log.usesUTC, takes: .toggle, flags: ["logtime_utc"],
            "Writes times in UTC."),
        Key(
            "log_file", "logfile", sets: \.log.file, takes: .text, default: "standard error",
            flags: ["l", "log"],
            "The file to log to."),
        Key(
            "logfile_size_limit", "log_size_limit", sets: \.log.fileBytesMax,
            takes: .numberOrZero("a size; 0 and less never rotate"), flags: ["log_size_limit"],
            "Bytes at which the log file is rotated."),
        Key(
            "logfile_max_num", "log_max_num", sets: \.log.filesMax,
            takes: .numberOrZero("a number; 0 and less keep all"),
            "Rotated log files that are kept."),
        Key(
            "syslog", sets: \.log.syslog, takes: .toggle, flags: ["s", "syslog"],
            "Logs to the local syslog."),
        Key(
            "remote_syslog", sets: \.log.remoteSyslog, takes: .text, default: "none",
            flags: ["r", "remote_syslog"],
            "A syslog server to log to, such as `udp://127.0.0.1:514`."),
    ]
}
