import Dispatch
import Glibc
import Logging
import MartletBroker
import MartletMonitor
import Synchronization

/// The running process: the broker, its monitoring and its log, from start to exit.
final class Server: Sendable {
    let options: ServeOptions
    let broker: Broker
    let log: ServerLog
    let logger: Logger
    let monitor: Monitor
    private let monitorPort = Atomic<Int>(0)
    private let isLameDuck = Atomic<Bool>(false)
    private let hasAnnouncedStop = Atomic<Bool>(false)

    /// Runs a server until a signal or the end of lame duck mode; returns the exit code.
    static func run(_ options: ServeOptions) throws -> Int32 {
        SignalThread.blockSignals()
        let loaded = try ServeConfiguration(options)
        let log = try ServerLog(loaded.configuration.log)
        let server = try Server(options, configuration: loaded.configuration, log: log)
        do {
            try server.start(warnings: loaded.warnings)
        } catch {
            log.write(.fatal, "\(error)")
            log.close()
            return 1
        }
        try SignalThread.start { server.handle($0, $1) }
        Blocking.wait { await server.broker.waitUntilStopped() }
        server.finish()
        return 0
    }

    private init(
        _ options: ServeOptions, configuration: BrokerConfiguration, log: ServerLog
    ) throws {
        self.options = options
        self.log = log
        logger = Logger(label: "martlet") { _ in ServerLogHandler(log: log) }
        broker = try Broker(configuration: configuration, logger: logger)
        monitor = Monitor(broker: broker, logger: logger)
    }

    private func start(warnings: [String]) throws(CommandFailure) {
        let configuration = broker.configuration
        StartReport(broker: broker, logger: logger).write()
        for warning in warnings { log.write(.warning, warning) }
        let limit = FileLimit.raise()
        let connectionsMax = configuration.limits.connectionsMax
        if let warning = FileLimit.warning(limit: limit, connectionsMax: connectionsMax) {
            log.write(.warning, warning)
        }
        try writePIDFile(configuration)
        try startMonitor(configuration)
        do {
            try broker.start()
        } catch {
            throw CommandFailure(description: StartReport.listenFailure(error, configuration))
        }
        do {
            try SystemRequests(monitor).start()
        } catch {
            log.write(.error, "Can't answer system requests: \(error)")
        }
        do {
            try writePortsFile(configuration)
        } catch {
            log.write(.error, "\(error)")
        }
        log.write(.information, "Server is ready")
    }

    private func startMonitor(_ configuration: BrokerConfiguration) throws(CommandFailure) {
        guard configuration.monitoring.port != 0 else { return }
        let host = configuration.monitoring.host ?? configuration.host
        let port = configuration.monitoring.port
        do {
            monitorPort.store(try monitor.start(host: host, port: port), ordering: .relaxed)
        } catch {
            throw CommandFailure(
                description: "Can't start monitoring: can't listen to the monitor port: \(error)")
        }
    }

    /// The last lines, once the broker has stopped.
    private func finish() {
        announceStop()
        monitor.stop()
        if let directory = broker.configuration.files.portsDirectory, !directory.isEmpty,
            let problem = PortsFile.remove(from: directory)
        {
            log.write(.error, problem)
        }
        log.write(.information, "Server Exiting..")
        log.close()
    }

    func writePIDFile(_ configuration: BrokerConfiguration) throws(CommandFailure) {
        guard let path = configuration.files.processID, !path.isEmpty else { return }
        do {
            try PIDFile.write(to: path)
        } catch {
            throw CommandFailure(description: "Could not write pidfile: \(error)")
        }
    }

    func writePortsFile(_ configuration: BrokerConfiguration) throws(CommandFailure) {
        guard let directory = configuration.files.portsDirectory, !directory.isEmpty else { return }
        let path = PortsFile.path(in: directory)
        let httpPort = monitorPort.load(ordering: .relaxed)
        let client = HostAndPort(host: configuration.host, port: broker.clientPort)
        let ports = PortsFile(
            client: configuration.dontListen ? nil : client,
            monitoring: httpPort == 0
                ? nil
                : HostAndPort(
                    host: configuration.monitoring.host ?? configuration.host, port: httpPort))
        do {
            try ports.write(to: path)
        } catch {
            throw CommandFailure(description: "Error writing ports file (\(path)): \(error)")
        }
    }
}

extension Server {
    /// What each signal does; on the signal thread.
    func handle(_ signal: Int32, _ request: ReloadRequest?) {
        log.write(.information, "Trapped \"\(SignalThread.handled[signal] ?? "")\" signal")
        switch signal {
        case SIGINT:
            stop()
        case SIGTERM:
            // Under lame duck the clients leave one by one; only an interrupt cuts that short.
            if !isLameDuck.load(ordering: .relaxed) { stop() }
        case SIGQUIT:
            // At once and without a goodbye, with nats-server's exit status.
            log.close()
            _exit(2)
        case SIGUSR1:
            log.reopen()
        case SIGUSR2:
            isLameDuck.store(true, ordering: .relaxed)
            broker.enterLameDuck()
        case SIGHUP:
            reload(for: request)
        default:
            break
        }
    }

    private func stop() {
        announceStop()
        broker.stop()
    }

    /// Once, whether a signal or the end of lame duck mode stops the broker.
    private func announceStop() {
        if hasAnnouncedStop.exchange(true, ordering: .relaxed) { return }
        log.write(.information, "Initiating Shutdown...")
    }
}
