import MartletBroker
import MartletMonitor

extension Server {
    /// Reads the configuration file again, and tells the log, and who asked for it, what came of that.
    func reload(for request: ReloadRequest?) {
        let answer: ReloadAnswer
        do {
            answer = try reload()
        } catch {
            for line in "\(error)".split(separator: "\n") {
                log.write(.error, "Failed to reload server configuration: \(line)")
            }
            answer = ReloadAnswer(isDone: false, text: "\(error)")
        }
        guard let request else { return }
        do {
            try request.answer(answer)
        } catch {
            log.write(.warning, "Can't answer who asked for the reload: \(error)")
        }
    }

    /// Adopts the file as it is now, or throws and changes nothing.
    private func reload() throws -> ReloadAnswer {
        guard options.configurationPath != nil else {
            throw CommandFailure(
                description: "can only reload config when a file is provided using -c or --config")
        }
        let loaded = try ServeConfiguration(options)
        let old = broker.configuration
        let new = loaded.configuration
        try checkFiles(from: old, to: new)
        let sink = try log.openSink(for: new.log)
        let changes = try broker.reload(new)
        monitor.recordReload()
        log.adopt(new.log, sink)
        let problems = moveFiles(from: old, to: new)
        for problem in problems { log.write(.error, problem) }
        for warning in loaded.warnings { log.write(.warning, warning) }
        let digest = new.configurationDigest ?? ""
        let lines =
            changes.map { "Reloaded: \($0)" } + ["Reloaded server configuration (\(digest))"]
        for line in lines { log.write(.information, line) }
        return ReloadAnswer(
            isDone: problems.isEmpty, text: (lines + problems).joined(separator: "\n"))
    }

    /// Throws if a file that `moveFiles` is to write could not be.
    private func checkFiles(
        from old: BrokerConfiguration, to new: BrokerConfiguration
    ) throws(CommandFailure) {
        if old.files.processID != new.files.processID, let path = new.files.processID,
            !path.isEmpty
        {
            try ProcessFiles.check(path)
        }
        if old.files.portsDirectory != new.files.portsDirectory,
            let directory = new.files.portsDirectory, !directory.isEmpty
        {
            try ProcessFiles.check(PortsFile.path(in: directory))
        }
    }

    /// Returns what went wrong.
    private func moveFiles(
        from old: BrokerConfiguration, to new: BrokerConfiguration
    ) -> [String] {
        var problems: [String] = []
        do {
            if old.files.processID != new.files.processID { try writePIDFile(new) }
        } catch {
            problems.append("\(error)")
        }
        guard old.files.portsDirectory != new.files.portsDirectory else { return problems }
        if let directory = old.files.portsDirectory, !directory.isEmpty,
            let problem = PortsFile.remove(from: directory)
        {
            problems.append(problem)
        }
        do {
            try writePortsFile(new)
        } catch {
            problems.append("\(error)")
        }
        return problems
    }
}
