import Synchronization

/// Wakes the one task that waits for something to change. A signal that comes while nobody waits is
/// kept, so that looking first and waiting then loses none.
final class InProcessSignal: Sendable {
    private enum State {
        case idle
        case raised
        case awaited(CheckedContinuation<Void, Never>)
    }

    private let state = Guarded(State.idle)

    func raise() {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .awaited(let continuation) = state else {
                state = .raised
                return nil
            }
            state = .idle
            return continuation
        }
        waiting?.resume()
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isRaised = state.withLock { state -> Bool in
                switch state {
                case .raised:
                    state = .idle
                    return true
                case .idle:
                    state = .awaited(continuation)
                    return false
                case .awaited: preconditionFailure("two tasks wait for one signal")
                }
            }
            if isRaised { continuation.resume() }
        }
    }
}

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
