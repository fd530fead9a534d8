import Glibc
import Logging
import Synchronization

/// The threads that run handlers, and the connections that wait for one.
///
/// There are as many as the configuration says; they start with the first handler. When all of them are
/// in closures that take long while others wait, the supervisor adds more, never more than there are
/// connections. Threads that are no longer needed end.
///
/// SAFETY: everything that changes is reached only while `lock` is held.
final class HandlerPool: @unchecked Sendable {
    /// A connection with more to do goes to the end of the line after this long, if others wait.
    static let sliceNanoseconds: UInt64 = 5_000_000

    let lock = ThreadLock()
    let logger: Logger
    private let defaultThreads: Int
    /// Connections that wait for a thread.
    private var first: HandlerConnection?
    private var last: HandlerConnection?
    private let waitingCount = Atomic<Int>(0)
    private var threads: [pthread_t] = []
    private var threadCount = 0
    private var idleCount = 0
    private var lastThread = 0
    private var isStopping = false

    private var services: [HandlerService] = []

    // The supervisor's
    var connections: [HandlerConnection] = []
    var lostConnections: [HandlerConnection] = []
    /// Turns that threads have taken since it looked last.
    var turns = 0
    var supervisorRuns = false
    var supervisorSleeps = false
    let supervisorSignal = ThreadSignal()
    private let ended = ThreadSignal()

    init(defaultThreads: Int, logger: Logger) {
        self.defaultThreads = max(1, defaultThreads)
        self.logger = logger
    }

    /// Whether anybody waits for a thread; without the lock, so only as of some moment.
    var hasLine: Bool { waitingCount.load(ordering: .relaxed) > 0 }

    // MARK: Connections

    /// A service that ends with the broker, whether it has connections then or not.
    func add(_ service: HandlerService) {
        let isLate = lock.withLock {
            services.removeAll(where: \.isEnded)
            if !isStopping { services.append(service) }
            return isStopping
        }
        if isLate { service.stop() }
    }

    /// Serves a connection from now on, beginning with what it has already.
    func take(_ connection: HandlerConnection) {
        lock.withLock { connections.append(connection) }
        startSupervisor()
        queue(connection)
    }

    /// A connection has something to do.
    func queue(_ connection: HandlerConnection) {
        lock.lock()
        if isStopping { return lock.unlock() }
        if let last { last.nextInLine = connection } else { first = connection }
        last = connection
        let waiting = waitingCount.wrappingAdd(1, ordering: .relaxed).newValue
        if idleCount > 0 { lock.wakeOne() }
        // Idle ones that were woken may not have run yet: each takes one of the line.
        if waiting > idleCount, threadCount < defaultThreads { addThread() }
        let wakesSupervisor = supervisorSleeps
        supervisorSleeps = false
        lock.unlock()
        if wakesSupervisor { supervisorSignal.raise() }
    }

    func remove(_ connection: HandlerConnection) {
        lock.withLock { connections.removeAll { $0 === connection } }
    }

    /// The broker has closed a connection that was meant to stay.
    func lost(_ connection: HandlerConnection) {
        lock.withLock {
            connections.removeAll { $0 === connection }
            if !isStopping { lostConnections.append(connection) }
        }
        supervisorSignal.raise()
    }

    // MARK: Threads

    /// Held: the lock.
    func addThread() {
        guard !isStopping, threadCount < max(defaultThreads, connections.count) else { return }
        lastThread += 1
        do {
            _ = try NativeThread(name: "handler-\(lastThread)") { [self] in run() }
            threadCount += 1
        } catch {
            logger.error("Error starting a thread for handlers: \(error)")
        }
    }

    private func run() {
        let own = pthread_self()
        lock.lock()
        threads.append(own)
        while let connection = next() {
            lock.unlock()
            connection.serve()
            lock.lock()
        }
        threads.removeAll { pthread_equal($0, own) != 0 }
        threadCount -= 1
        lock.unlock()
        ended.raise()
    }

    /// Held: the lock. Waits for the next one in line; nil when the thread is not needed any more.
    private func next() -> HandlerConnection? {
        while !isStopping {
            if let connection = first {
                first = connection.nextInLine
                connection.nextInLine = nil
                if first == nil { last = nil }
                waitingCount.wrappingSubtract(1, ordering: .relaxed)
                turns += 1
                return connection
            }
            // One stays while the others are held, or the next in line would wait for the supervisor.
            if threadCount > defaultThreads, idleCount > 0 { return nil }
            idleCount += 1
            lock.wait()
            idleCount -= 1
        }
        return nil
    }

    /// Held: the lock.
    var hasBusyThreads: Bool { threadCount > idleCount }

    /// Held: the lock. All threads are taken by handlers that take long, and somebody waits.
    var isStuck: Bool { first != nil && idleCount == 0 && turns == 0 }

    var isOver: Bool { lock.withLock { isStopping } }

    // MARK: The end

    /// The broker's loops have ended. Waits for closures that still run, except one that calls this.
    func stop() {
        lock.lock()
        let (open, services) = (connections, services)
        isStopping = true
        (first, last, connections, lostConnections) = (nil, nil, [], [])
        self.services = []
        lock.wakeAll()
        lock.unlock()
        for connection in open { connection.reading.withLock { connection.close() } }
        for service in services { service.stop() }
        supervisorSignal.raise()
        while !hasEnded { ended.wait(atMost: 100_000_000) }
    }

    private var hasEnded: Bool {
        lock.withLock {
            let isOwn = threads.contains { pthread_equal($0, pthread_self()) != 0 }
            return threadCount == (isOwn ? 1 : 0) && !supervisorRuns
        }
    }

    func recordSupervisorEnded() {
        lock.withLock { supervisorRuns = false }
        ended.raise()
    }
}
