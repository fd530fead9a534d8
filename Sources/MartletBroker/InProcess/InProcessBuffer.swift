/// Messages of one subscription between the task that reads the connection and those that iterate.
/// Never more than its limits say.
final class InProcessBuffer: Sendable {
    private struct State {
        var messages: [InProcessMessage] = []
        /// Where the oldest one is that nobody took.
        var first = 0
        var byteCount = 0
        var received: UInt64 = 0
        /// Ends after this many; 0 without a maximum.
        var receivedMax: UInt64 = 0
        var dropped: UInt64 = 0
        var isFinished = false
        var failure: BrokerError?
        var wasIterated = false
        var lastConsumer = 0
        var consumers: [(id: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var count: Int { messages.count - first }

        mutating func takeFirst() -> InProcessMessage? {
            guard first < messages.count else { return nil }
            let message = messages[first]
            messages[first].payload = []
            first += 1
            byteCount -= message.payload.count
            if first == messages.count {
                messages.removeAll(keepingCapacity: messages.count < 1_024)
                first = 0
            } else if first >= 64, first > messages.count / 2 {
                messages.removeFirst(first)
                first = 0
            }
            return message
        }
    }

    private let limits: InProcessSubscription.Limits
    private let state = Guarded(State())
    /// Raised when a message was taken.
    private let room = InProcessSignal()
    /// Resolved when somebody who iterates has seen the end, or there is nothing to iterate.
    let wasConsumed = InProcessAnswer<Void>()

    init(_ limits: InProcessSubscription.Limits) {
        self.limits = limits
    }

    var dropped: UInt64 { state.withLock { $0.dropped } }

    // MARK: The reader of the connection

    /// Adds a message, by the policy when there is no room. True when it was the last one.
    func append(_ message: InProcessMessage) async -> Bool {
        while true {
            let (isTaken, isLast, waiting) = offer(message)
            for consumer in waiting { consumer.resume() }
            if isTaken { return isLast }
            await room.wait()
        }
    }

    private func offer(
        _ message: InProcessMessage
    ) -> (isTaken: Bool, isLast: Bool, waiting: [CheckedContinuation<Void, Never>]) {
        state.withLock { state in
            guard !state.isFinished else { return (true, true, []) }
            if isFull(state, message) {
                switch limits.overflow {
                case .wait: return (false, false, [])
                case .dropNew:
                    state.dropped += 1
                    return (true, count(&state), state.isFinished ? wakeAll(&state) : [])
                case .dropOld:
                    while state.count > 0, isFull(state, message) {
                        _ = state.takeFirst()
                        state.dropped += 1
                    }
                }
            }
            state.messages.append(message)
            state.byteCount += message.payload.count
            let isLast = count(&state)
            if isLast { return (true, true, wakeAll(&state)) }
            return (
                true, false,
                state.consumers.isEmpty ? [] : [state.consumers.removeFirst().continuation]
            )
        }
    }

    private func isFull(_ state: borrowing State, _ message: InProcessMessage) -> Bool {
        // One message always fits, however large: it would never do otherwise.
        state.count > 0
            && (state.count >= limits.messagesMax
                || state.byteCount + message.payload.count > limits.bytesMax)
    }

    /// Counts a message as received, dropped or not; true when it was the last one.
    private func count(_ state: inout State) -> Bool {
        state.received += 1
        if state.receivedMax > 0, state.received >= state.receivedMax { state.isFinished = true }
        return state.isFinished
    }

    private func wakeAll(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        defer { state.consumers = [] }
        return state.consumers.map(\.continuation)
    }

    /// Ends after `maximum` messages, counted from the first; true when there were as many already.
    func finish(after maximum: UInt64) -> Bool {
        let (isOver, waiting) = state.withLock {
            state -> (Bool, [CheckedContinuation<Void, Never>]) in
            state.receivedMax = maximum
            guard state.received >= maximum else { return (false, []) }
            state.isFinished = true
            return (true, wakeAll(&state))
        }
        for consumer in waiting { consumer.resume() }
        return isOver
    }

    /// No more messages come; those that are here can still be taken.
    func finish(_ failure: BrokerError? = nil) {
        let (isUnused, waiting) = state.withLock { state in
            if !state.isFinished { state.failure = failure }
            state.isFinished = true
            return (state.count == 0 && !state.wasIterated, wakeAll(&state))
        }
        if isUnused { wasConsumed.resolve(.success(())) }
        for consumer in waiting { consumer.resume() }
        room.raise()
    }

    // MARK: Those who iterate

    /// The next message; nil at the end and when the task was cancelled.
    func next() async throws(BrokerError) -> InProcessMessage? {
        while true {
            let (message, isOver, failure) = state.withLock { state in
                state.wasIterated = true
                let message = state.takeFirst()
                return (message, message == nil && state.isFinished, state.failure)
            }
            if let message {
                if limits.overflow == .wait { room.raise() }
                return message
            }
            if isOver {
                wasConsumed.resolve(.success(()))
                if let failure { throw failure }
                return nil
            }
            if Task.isCancelled { return nil }
            await waitForMore()
        }
    }

    private func waitForMore() async {
        let id = state.withLock { state in
            state.lastConsumer += 1
            return state.lastConsumer
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state -> Bool in
                    // Looked at under the lock: a cancellation comes before it, or finds the consumer.
                    if state.count > 0 || state.isFinished || Task.isCancelled { return true }
                    state.consumers.append((id, continuation))
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            let cancelled = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let i = state.consumers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.consumers.remove(at: i).continuation
            }
            cancelled?.resume()
        }
    }
}
