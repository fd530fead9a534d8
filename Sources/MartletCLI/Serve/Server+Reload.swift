import MartletBroker
import MartletMonitor

enum ServerReload {
    static let fileIsMissing = CommandFailure(
        description: "can only reload config when a file is provided using -c or --config")
}

extension Server {
    /// Reads the configuration file again and adopts it, or throws and changes nothing.
    func reload() throws {
        guard options.configurationPath != nil else { throw ServerReload.fileIsMissing }
        let loaded = try ServeConfiguration(options)
        let old = broker.configuration
        let new = loaded.configuration
        let changes = try broker.reload(new)
        monitor.recordReload()
        do {
            try log.configure(new.log)
        } catch {
            log.write(.error, "The log stays as it was: \(error)")
        }
        for warning in loaded.warnings { log.write(.warning, warning) }
        moveFiles(from: old, to: new)
        for change in changes { log.write(.information, "Reloaded: \(change)") }
        let digest = new.configurationDigest ?? ""
        log.write(.information, "Reloaded server configuration (\(digest))")
    }

    private func moveFiles(from old: BrokerConfiguration, to new: BrokerConfiguration) {
        if old.files.processID != new.files.processID {
            do {
                try writePIDFile(new)
            } catch {
                log.write(.error, "\(error)")
            }
        }
        if old.files.portsDirectory != new.files.portsDirectory {
            if let directory = old.files.portsDirectory { PortsFile.remove(from: directory) }
            writePortsFile(new)
        }
    }
}
