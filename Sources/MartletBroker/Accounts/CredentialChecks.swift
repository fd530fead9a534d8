/// The threads for credential checks that take long (bcrypt), so that a flood of logins never costs a loop:
/// at most as many as the machine has cores beside the loops, made when there is work and ended when there
/// is none.
///
/// Addresses take turns, whatever each has waiting: a flood from one delays itself. Attempts that are equal
/// are made once for all who wait for them, and not at all when those have gone. What waits is bounded by
/// the connections that wait, none of which is read meanwhile.
final class CredentialChecks: Sendable {
    typealias Answer = @Sendable (LoginAttempt, _ isRight: Bool) -> Void
    typealias MakeThread =
        @Sendable (_ work: @escaping @Sendable () -> Void) throws(SystemFailure) -> NativeThread

    private struct State {
        var queue = LoginQueue()
        /// Those that work, by number.
        var threads: [Int: NativeThread] = [:]
        var lastThread = 0
    }

    private let threadsMax: Int
    private let makeThread: MakeThread
    private let state = Guarded(State())

    init(
        threadsMax: Int,
        makeThread: @escaping MakeThread = { work throws(SystemFailure) in
            try NativeThread(name: "authentication", work)
        }
    ) {
        self.threadsMax = max(1, threadsMax)
        self.makeThread = makeThread
    }

    /// Makes the attempt on a thread of its own, which then calls `answer`. Throws, and forgets the
    /// attempt, when there is no thread and none can be made.
    func submit(
        _ attempt: LoginAttempt, by connection: UInt64, from address: String,
        _ answer: @escaping Answer
    ) throws(SystemFailure) {
        try state.withLock { state throws(SystemFailure) in
            state.queue.append(attempt, by: connection, from: address, answer)
            let count = state.threads.count
            guard count < min(threadsMax, state.queue.attemptCount) else { return }
            state.lastThread += 1
            let number = state.lastThread
            do throws(SystemFailure) {
                state.threads[number] = try makeThread { [self] in work(number) }
            } catch {
                // Those that there are see to it.
                guard count == 0 else { return }
                state.queue.remove(connection)
                throw error
            }
        }
    }

    /// A connection has ended: nobody waits for its attempt, unless others make the same.
    func cancel(_ connection: UInt64) {
        state.withLock { $0.queue.remove(connection) }
    }

    /// Attempts that wait or are being made.
    var attemptCount: Int { state.withLock { $0.queue.attemptCount } }

    private func work(_ number: Int) {
        while let attempt = next(number) {
            let isRight = attempt.succeeds()
            for answer in state.withLock({ $0.queue.finish(attempt) }) { answer(attempt, isRight) }
        }
    }

    private func next(_ number: Int) -> LoginAttempt? {
        state.withLock { state in
            if let attempt = state.queue.takeNext() { return attempt }
            state.threads[number] = nil
            return nil
        }
    }

    /// Forgets what waits, and returns when the threads have ended.
    func stop() {
        let threads = state.withLock { state in
            state.queue = LoginQueue()
            defer { state.threads = [:] }
            return Array(state.threads.values)
        }
        for thread in threads { thread.join() }
    }
}
