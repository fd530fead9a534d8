import MartletBroker
import MartletMonitor
import MartletRules

extension Server {
    /// Reads the configuration file again and adopts it, or throws and changes nothing.
    func reload() throws {
        guard let path = options.configurationPath, !path.isEmpty else {
            throw CommandFailure(
                description: "can only reload config when a file is provided using -c or --config")
        }
        let loaded = try ServeConfiguration(options)
        let old = broker.configuration
        let new = loaded.configuration
        try Self.refuseChange(from: old, to: new)
        try broker.reload(new)
        monitor.recordReload()
        do {
            try log.configure(new.log)
        } catch {
            log.write(.error, "The log stays as it was: \(error)")
        }
        for warning in loaded.warnings { log.write(.warning, warning) }
        moveFiles(from: old, to: new)
        for line in ReloadReport.lines(from: old, to: new) { log.write(.information, line) }
        let digest = new.configurationDigest ?? ""
        log.write(.information, "Reloaded server configuration (\(digest))")
    }

    private static func refuseChange(
        from old: BrokerConfiguration, to new: BrokerConfiguration
    ) throws(CommandFailure) {
        func refuse(_ field: String, _ old: String, _ new: String) throws(CommandFailure) {
            guard old != new else { return }
            throw CommandFailure(
                description: "config reload not supported for \(field): old=\(old), new=\(new)")
        }
        try refuse("HTTPHost", old.httpHost ?? old.host, new.httpHost ?? new.host)
        try refuse("HTTPPort", "\(old.httpPort)", "\(new.httpPort)")
        try refuse("HTTPBasePath", old.httpBasePath, new.httpBasePath)
    }

    private func moveFiles(from old: BrokerConfiguration, to new: BrokerConfiguration) {
        if old.pidFile != new.pidFile {
            do {
                try writePIDFile(new)
            } catch {
                log.write(.error, "\(error)")
            }
        }
        if old.portsFileDirectory != new.portsFileDirectory {
            if let directory = old.portsFileDirectory { PortsFile.remove(from: directory) }
            writePortsFile(new)
        }
    }
}

/// What a reload changed, a line for each.
enum ReloadReport {
    static func lines(from old: BrokerConfiguration, to new: BrokerConfiguration) -> [String] {
        var lines: [String] = []
        func compare<Value: Equatable>(
            _ name: String, _ value: (BrokerConfiguration) -> Value, _ text: (Value) -> String
        ) {
            let (before, after) = (value(old), value(new))
            if before != after { lines.append("Reloaded: \(name)\(text(after))") }
        }
        compare("trace", \.log.trace) { " = \($0)" }
        compare("trace_verbose", \.log.traceVerbose) { " = \($0)" }
        compare("debug", \.log.debug) { " = \($0)" }
        compare("logtime", \.log.showsTime) { " = \($0)" }
        compare("logtime_utc", \.log.usesUTC) { " = \($0)" }
        compare("log_file", \.log.file) { " = \($0 ?? "")" }
        compare("syslog", \.log.syslog) { " = \($0)" }
        compare("remote_syslog", \.log.remoteSyslog) { " = \($0 ?? "")" }
        compare("authorization username", \.authorization.user) { _ in "" }
        compare("authorization password", \.authorization.password) { _ in "" }
        compare("authorization token", \.authorization.token) { _ in "" }
        compare("authorization users", \.authorization.users) { _ in "" }
        compare("tags", \.serverTags) { _ in "" }
        compare("metadata", \.serverMetadata) { _ in "" }
        compare("max_connections", \.connectionsMax) { " = \($0)" }
        compare("pid_file", \.pidFile) { " = \($0 ?? "")" }
        compare("ports_file_dir", \.portsFileDirectory) { " = \($0 ?? "")" }
        compare("max_control_line", \.controlLineBytesMax) { " = \($0)" }
        compare("max_payload", \.payloadBytesMax) { " = \($0)" }
        compare("ping_max", \.pingsOutstandingMax) { " = \($0)" }
        compare("rules", \.rules) { " = \($0?.definition.rules.count ?? 0)" }
        compare("max_traced_msg_len", \.tracedMessageBytesMax) { " = \($0)" }
        return lines
    }
}
