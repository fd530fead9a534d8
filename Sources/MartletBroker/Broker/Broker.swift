// docs/ARCHITECTURE.md has the layout of this module; begin at MessagePath/ReadBuffer.swift.

import Glibc
public import Logging
import Synchronization

/// A message broker that speaks the NATS client protocol.
///
/// ```swift
/// let broker = try Broker(configuration: BrokerConfiguration(), logger: Logger(label: "broker"))
/// try broker.start()
/// ```
///
/// One value is one broker: it listens, starts its loops' threads, and ends with `stop()`. It is started
/// once; between `start()` and `stop()` it lives even if nobody refers to it.
public final class Broker: Sendable {
    /// The nats-server version whose protocol and features this broker has; clients decide by it.
    public static let compatibleVersion = "2.14.0"
    /// Martlet's own version.
    public static let version = "0.1.0"

    let shared: BrokerShared
    let handlers: HandlerPool
    private let lifecycle = Guarded(Lifecycle())
    /// Held while the broker starts or stops, so that these come one after another.
    private let change = Guarded(())

    private struct Lifecycle {
        var threads: [NativeThread] = []
        var phase = Phase.new
        var isLameDuck = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// The broker itself while it runs: its threads do not end for lack of a reference.
        var running: Broker?
    }

    private enum Phase {
        case new, running, stopping, stopped
    }

    /// A broker that does not run yet. Throws `BrokerError.Code.system` when the system refuses what a
    /// loop needs, and `.configuration` when there is something wrong with the configuration.
    public convenience init(
        configuration: BrokerConfiguration, logger: Logger
    ) throws(BrokerError) {
        try self.init(
            configuration: configuration, logger: logger, events: BrokerLog(logger: logger))
    }

    /// As the public one, with another sink for events than the log.
    init(
        configuration: BrokerConfiguration, logger: Logger, events: any EventSink
    ) throws(BrokerError) {
        try configuration.validate()
        let seed = UInt64.random(in: .min ... .max)
        let loopCount = configuration.loopCount ?? Self.defaultLoopCount()
        shared = BrokerShared(
            configuration: configuration, loopCount: loopCount, events: events, seed: seed)
        handlers = HandlerPool(
            defaultThreads: configuration.handlerThreadCount ?? CoreCount.usable - loopCount,
            logger: logger)
        try Self.makeLoops(shared, clock: .machine, seed: seed)
        try replaceRules(configuration.rules)
    }

    /// A broker whose loops a simulation drives.
    init(
        simulating configuration: BrokerConfiguration, clock: Clock, seed: UInt64, logger: Logger
    ) throws(BrokerError) {
        try configuration.validate()
        shared = BrokerShared(
            configuration: configuration, loopCount: configuration.loopCount ?? 1,
            events: BrokerLog(logger: logger), seed: seed)
        handlers = HandlerPool(defaultThreads: 1, logger: logger)
        try Self.makeLoops(shared, clock: clock, seed: seed)
        try replaceRules(configuration.rules)
    }

    /// Of those there are so many work as the load needs, see `Placement` and `Balance`.
    static func defaultLoopCount() -> Int { loopCount(forCores: CoreCount.usable) }

    /// On a small machine a second loop takes the core that clients need; see docs/PERFORMANCE.md for the measurement.
    /// Half of the others is for clients, the system's part of the network, and threads of the broker's own.
    static func loopCount(forCores cores: Int) -> Int { cores < 4 ? 1 : min(8, cores / 2) }

    private static func makeLoops(
        _ shared: BrokerShared, clock: Clock, seed: UInt64
    ) throws(BrokerError) {
        var loops: [BrokerLoop] = []
        do {
            for index in 0..<shared.loopCount {
                loops.append(
                    try BrokerLoop(
                        index: index, shared: shared, clock: clock, seed: seed &+ UInt64(index)))
            }
        } catch {
            throw BrokerError(.system, "cannot make an event loop: \(error)")
        }
        shared.connect(loops)
    }

    /// It does not run: while it does, it refers to itself. It may never have been started, though.
    deinit {
        stop()
        shared.dissolve()
    }

    // MARK: Starting and stopping

    /// Listens on the client port and starts the loops. Throws `BrokerError.Code.listen` when the
    /// address is taken or wrong, after which it can be tried again, and `.alreadyStarted` when the
    /// broker runs or has stopped: make a new one then.
    public func start() throws(BrokerError) {
        try change.withLock { _ throws(BrokerError) in try startOnce() }
    }

    private func startOnce() throws(BrokerError) {
        switch lifecycle.withLock({ $0.phase }) {
        case .new: break
        case .running: throw BrokerError(.alreadyStarted, "the broker runs already")
        case .stopping, .stopped:
            throw BrokerError(
                .alreadyStarted, "the broker has stopped; make a new one to start again")
        }
        let configuration = configuration
        DescriptorTable.makeRoom(forConnections: configuration.limits.connectionsMax)
        let listeners = try openListeners(configuration)
        do {
            try startThreads()
        } catch {
            for listener in listeners { listener.close() }
            throw BrokerError(.system, "cannot start a loop's thread: \(error)")
        }
        for listener in listeners {
            shared.loops[0].mail.post(.listen(listener))
            shared.events.record(
                .listening(for: listener.profile.kind, address: "\(listener.address)"))
        }
    }

    private func openListeners(
        _ configuration: BrokerConfiguration
    ) throws(BrokerError) -> [Listener] {
        guard !configuration.dontListen else { return [] }
        let clients = try listen(configuration.host, configuration.port, .client)
        shared.setClientPort(clients.address.port)
        return [clients]
    }

    private func listen(
        _ host: String, _ port: Int, _ profile: ListenerProfile
    ) throws(BrokerError) -> Listener {
        do throws(ListeningSocket.Failure) {
            let socket = try ListeningSocket(HostAndPort(host: host, port: port == -1 ? 0 : port))
            return Listener(
                descriptor: socket.descriptor, profile: profile,
                address: HostAndPort(host: host, port: socket.port))
        } catch {
            throw BrokerError(.listen, error.description)
        }
    }

    private func startThreads() throws(SystemFailure) {
        var threads: [NativeThread] = []
        do {
            try shared.rules.start()
            try shared.standstills.start(shared.events) { [shared] in shared.shareWork() }
            for loop in shared.loops {
                let transfer = UncheckedTransfer(loop)
                threads.append(
                    try NativeThread(name: "loop-\(loop.index)") { transfer.value.run() })
            }
        } catch {
            // Loops run once, so the broker is of no more use.
            end(threads)
            throw error
        }
        lifecycle.withLock {
            $0.threads = threads
            $0.phase = .running
            $0.running = self
        }
    }

    /// Closes every connection and ends the threads; returns when that is done, also for those who call
    /// while another call is under way. It blocks its thread: `shutdown()` does not. A broker that was
    /// not started is then stopped too, and cannot be started any more.
    public func stop() {
        change.withLock { _ in
            let threads = lifecycle.withLock { state -> [NativeThread]? in
                guard state.phase != .stopped else { return nil }
                state.phase = .stopping
                return state.threads
            }
            if let threads { end(threads) }
        }
    }

    private func end(_ threads: [NativeThread]) {
        for loop in shared.loops { loop.mail.post(.stop) }
        for thread in threads { thread.join() }
        shared.rules.stop()
        shared.credentialChecks.stop()
        shared.standstills.stop()
        handlers.stop()
        let waiters = lifecycle.withLock { state in
            state.phase = .stopped
            state.threads = []
            state.running = nil
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when the broker has stopped.
    public func waitUntilStopped() async {
        await withCheckedContinuation { continuation in
            let isStopped = lifecycle.withLock { state in
                if state.phase != .stopped { state.waiters.append(continuation) }
                return state.phase == .stopped
            }
            if isStopped { continuation.resume() }
        }
    }

    /// Stops accepting, tells clients to go elsewhere, closes them one after another over
    /// `lameDuck.durationNanoseconds`, then stops. Returns at once.
    public func enterLameDuck() {
        let starts = lifecycle.withLock { state in
            guard state.phase == .running, !state.isLameDuck else { return false }
            // Nobody waits for this thread: it stops the broker, and who stops it waits for the loops.
            state.isLameDuck =
                (try? NativeThread(name: "lame-duck") { [self] in LameDuck(self).run() }) != nil
            return state.isLameDuck
        }
        if starts { shared.events.record(.lameDuckBegins) }
    }

    var isRunning: Bool { lifecycle.withLock { $0.phase == .running } }
    /// It takes no more clients, and stops when those there are have left or are closed.
    public var isLameDuck: Bool { lifecycle.withLock { $0.isLameDuck } }

    // MARK: Looking at it

    /// The port that clients connect to, once started.
    public var clientPort: Int { shared.clientPort }
    /// The configuration that holds now; a reload replaces it.
    public var configuration: BrokerConfiguration { shared.configuration }
    /// INFO's server_id, new with each broker.
    public var serverID: String { shared.serverID }
    /// INFO's server_name: as configured, or the server's id.
    public var serverName: String { shared.serverName }
}
