import Logging
import MartletRules
import Synchronization

/// What one `respond` serves: the closure, and the connections that bring it requests.
final class HandlerService: Sendable {
    enum Body: Sendable {
        case blocking(@Sendable (borrowing HandlerRequest) throws -> Void)
        case waiting(inFlightMax: Int, @Sendable (HandlerMessage) async throws -> HandlerReply?)
    }

    let subject: String
    let queue: String?
    let fields: [String]
    let jsonLimits: JSONLimits
    let credentials: InProcessCredentials?
    /// What its connections are to the broker.
    let peer: PipePeer
    let body: Body
    let logger: Logger

    let failedRequests = Atomic<Int>(0)
    let refusedRequests = Atomic<Int>(0)

    private struct State {
        var connections: [HandlerConnection] = []
        var isCancelled = false
        var isStopped = false
        var isEnded = false
        var tasks: [Int: Task<Void, Never>] = [:]
        var lastTask = 0
        /// Tasks that ended before they were recorded.
        var endedTasks: Set<Int> = []
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Guarded(State())

    init(
        subject: String, queue: String?, fields: [String], jsonLimits: JSONLimits,
        credentials: InProcessCredentials?, peer: PipePeer = .handler, logger: Logger, body: Body
    ) {
        self.subject = subject
        self.queue = queue
        self.fields = fields
        self.jsonLimits = jsonLimits
        self.credentials = credentials
        self.peer = peer
        self.logger = logger
        self.body = body
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    // MARK: Connections

    /// False when the registration was cancelled meanwhile.
    func add(_ connection: HandlerConnection) -> Bool {
        state.withLock { state in
            if !state.isCancelled { state.connections.append(connection) }
            return !state.isCancelled
        }
    }

    /// A connection has ended for good.
    func remove(_ connection: HandlerConnection) {
        change { $0.connections.removeAll { $0 === connection } }
    }

    /// No new requests; those that are here are finished.
    func cancel() {
        let connections = state.withLock { state -> [HandlerConnection] in
            defer { state.isCancelled = true }
            return state.isCancelled ? [] : state.connections
        }
        for connection in connections { connection.drain() }
        change { _ in }
    }

    /// The broker has stopped: nothing is finished any more.
    func stop() {
        let tasks = state.withLock { state in
            (state.isCancelled, state.isStopped) = (true, true)
            state.connections = []
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
        change { _ in }
    }

    // MARK: Tasks

    /// Runs a task that `stop()` cancels; after that, none.
    func start(_ work: @escaping @Sendable () async -> Void) {
        let id = state.withLock { state -> Int? in
            guard !state.isStopped else { return nil }
            state.lastTask += 1
            return state.lastTask
        }
        guard let id else { return }
        let task = Task {
            await work()
            change { state in
                if state.tasks.removeValue(forKey: id) == nil { state.endedTasks.insert(id) }
            }
        }
        state.withLock { state in
            if state.endedTasks.remove(id) == nil { state.tasks[id] = task }
            if state.isStopped { task.cancel() }
        }
    }

    // MARK: The end

    /// Changes something that may have been the last thing to wait for.
    private func change(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            body(&state)
            state.isEnded =
                state.isCancelled && state.connections.isEmpty && state.tasks.isEmpty
            guard state.isEnded else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    var isEnded: Bool { state.withLock { $0.isEnded } }

    func waitUntilEnded() async {
        await withCheckedContinuation { continuation in
            let isEnded = state.withLock { state in
                if !state.isEnded { state.waiters.append(continuation) }
                return state.isEnded
            }
            if isEnded { continuation.resume() }
        }
    }
}
