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
