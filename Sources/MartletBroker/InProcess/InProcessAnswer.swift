/// An answer that comes later, or an error instead; the first one counts.
final class InProcessAnswer<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, BrokerError>

    private struct State {
        var outcome: Outcome?
        var waiting: [CheckedContinuation<Outcome, Never>] = []
    }

    private let state = Guarded(State())

    func resolve(_ outcome: Outcome) {
        let waiting = state.withLock { state -> [CheckedContinuation<Outcome, Never>] in
            guard state.outcome == nil else { return [] }
            state.outcome = outcome
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: outcome) }
    }

    func wait() async throws(BrokerError) -> Value {
        let outcome = await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Outcome? in
                if state.outcome == nil { state.waiting.append(continuation) }
                return state.outcome
            }
            if let known { continuation.resume(returning: known) }
        }
        return try outcome.get()
    }

    /// Waits for at most as long as `timeout` says, and not on when the task is cancelled.
    func wait(
        atMost timeout: Duration, or failure: @escaping @Sendable () -> BrokerError
    ) async throws(BrokerError) -> Value {
        let timer = Task {
            do {
                try await Task.sleep(for: timeout)
                resolve(.failure(failure()))
            } catch {}
        }
        defer { timer.cancel() }
        let outcome = await withTaskCancellationHandler { () async -> Outcome in
            do throws(BrokerError) { return .success(try await wait()) } catch {
                return .failure(error)
            }
        } onCancel: {
            resolve(.failure(BrokerError(.cancelled, "the task was cancelled")))
        }
        return try outcome.get()
    }
}
