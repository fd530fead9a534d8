/// The client's end of a connection without a socket: it writes frames in order, reads events, and
/// brings them to whoever waits for them.
///
/// Nothing here grows without a limit: the pipe is bounded, publishers wait with their own frame in
/// hand, subscriptions have bounded buffers, and requests and flushes are their callers' own.
final class InProcessConnection: Sendable {
    struct State {
        /// What the broker has said of itself.
        var info = ReceivedInfo()
        /// Somebody writes to the pipe; the others wait, in order.
        var isWriting = false
        var writers: [CheckedContinuation<Void, Never>] = []
        var bytesSinceYield = 0
        /// One for each PING that is under way.
        var fences: [Fence] = []
        var lastID: UInt64 = 0
        var buffers: [UInt64: InProcessBuffer] = [:]
        /// The subscription for answers to requests; 0 before the first request.
        var inboxID: UInt64 = 0
        var lastRequest: UInt64 = 0
        var requests: [UInt64: InProcessAnswer<InProcessMessage>] = [:]
        /// The first error of the broker that nobody has been told yet.
        var untoldError: BrokerError?
        /// What the broker said last; the reason, if it closes then.
        var lastErrorText: String?
        var isDraining = false
        /// Why the connection is closed, once it is.
        var end: BrokerError?
    }

    /// What waits for a PONG.
    struct Fence {
        /// A SUB stands before the PING: its refusal belongs here.
        var followsSubscribe: Bool
        var refusal: BrokerError?
        let answer: InProcessAnswer<Void>
    }

    let state = Guarded(State())
    let hello = InProcessAnswer<Void>()
    let inboxIsOpen = InProcessAnswer<Void>()
    /// `_INBOX.` and what tells this client's answers from all others.
    let inboxPrefix = "_INBOX.\(InProcessConnection.randomName())."
    /// Of a control line, as the broker has it.
    let controlLineBytesMax: Int
    let pipe: MemoryPipe
    let input: InProcessSignal
    private let room: InProcessSignal

    init(
        controlLineBytesMax: Int, capacity: Int = 1 << 20,
        wakeBroker: @escaping @Sendable () -> Void
    ) {
        self.controlLineBytesMax = controlLineBytesMax
        let (input, room) = (InProcessSignal(), InProcessSignal())
        self.input = input
        self.room = room
        pipe = MemoryPipe(
            capacity: capacity, wakeBroker: wakeBroker, wakePeer: { input.raise() },
            makeRoomKnown: { room.raise() })
    }

    var takesHeaders: Bool { state.withLock { $0.info.hasHeaders == true } }
    /// Headers included.
    var payloadBytesMax: Int { state.withLock { $0.info.payloadBytesMax ?? 0 } }

    private static func randomName() -> String {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        return String((0..<22).map { _ in alphabet.randomElement()! })
    }

    // MARK: Writing

    /// Writes a frame as a whole, after those of others who came first; waits while the pipe is full.
    func send(_ frame: [UInt8], fence: Fence? = nil) async throws(BrokerError) {
        // A loop that only publishes must not keep other tasks from their thread.
        if isTimeToYield(frame.count) { await Task.yield() }
        if !takeTurn() { await waitForTurn() }
        defer { passTurn() }
        try state.withLock { state throws(BrokerError) in
            if let end = state.end { throw end }
            if let fence { state.fences.append(fence) }
        }
        var sent = 0
        while sent < frame.count {
            guard let count = pipe.peerSend(frame[sent...]) else {
                throw await endOfPipe()
            }
            sent += count
            if sent < frame.count { await room.wait() }
        }
    }

    /// Writes lines and PING; returns with the PONG. Throws what the broker had against a subscription
    /// in these lines.
    func sendAndWait(_ lines: String, subscribes: Bool = false) async throws(BrokerError) {
        let answer = InProcessAnswer<Void>()
        try await send(
            Array((lines + ClientLine.ping).utf8),
            fence: Fence(followsSubscribe: subscribes, answer: answer))
        try await answer.wait()
    }

    private func isTimeToYield(_ count: Int) -> Bool {
        state.withLock { state in
            state.bytesSinceYield += count
            guard state.bytesSinceYield > 64 << 10 else { return false }
            state.bytesSinceYield = 0
            return true
        }
    }

    private func takeTurn() -> Bool {
        state.withLock { state in
            guard !state.isWriting else { return false }
            state.isWriting = true
            return true
        }
    }

    private func waitForTurn() async {
        await withCheckedContinuation { continuation in
            let hasTurn = state.withLock { state -> Bool in
                guard state.isWriting else {
                    state.isWriting = true
                    return true
                }
                state.writers.append(continuation)
                return false
            }
            if hasTurn { continuation.resume() }
        }
    }

    private func passTurn() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.writers.isEmpty else {
                state.isWriting = false
                return nil
            }
            return state.writers.removeFirst()
        }
        next?.resume()
    }

    /// Why the broker closed the pipe. Its last words may still be on their way to the reader, and the reader
    /// may be waiting for the very task that writes: so this waits a second at most.
    private func endOfPipe() async -> BrokerError {
        for _ in 0..<1_000 {
            if let end = state.withLock({ $0.end }) { return end }
            try? await Task.sleep(for: .milliseconds(1))
        }
        return closedByBroker()
    }

    // MARK: Subscriptions

    func contains(_ id: UInt64) -> Bool { state.withLock { $0.buffers[id] != nil } }

    func remove(_ id: UInt64) -> Bool {
        state.withLock { $0.buffers.removeValue(forKey: id) != nil }
    }

    // MARK: The end

    /// Ends everything that waits. Without a failure, iterations just end.
    func finish(_ reason: BrokerError, isFailure: Bool) {
        // The reason first: the reader that sees the pipe close must not take it for the broker's doing.
        let ended = state.withLock { state -> State? in
            guard state.end == nil else { return nil }
            state.end = reason
            defer {
                state.fences = []
                state.requests = [:]
                state.buffers = [:]
            }
            return state
        }
        guard let ended else { return }
        pipe.peerClose()
        hello.resolve(.failure(reason))
        for fence in ended.fences { fence.answer.resolve(.failure(reason)) }
        for request in ended.requests.values { request.resolve(.failure(reason)) }
        for buffer in ended.buffers.values { buffer.finish(isFailure ? reason : nil) }
        input.raise()
        room.raise()
    }

    func close() {
        finish(BrokerError(.connectionClosed, "the client is closed"), isFailure: false)
    }
}
