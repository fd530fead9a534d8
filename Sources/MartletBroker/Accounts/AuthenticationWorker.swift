import Glibc
import Synchronization

/// The thread for credential checks that take long (bcrypt): one after another, so that a flood of
/// logins costs one core and never a loop. The queue is bounded by the connections that wait in it,
/// each of which is not read meanwhile.
final class AuthenticationWorker: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var thread: NativeThread?
    }

    private let state = Guarded(State())

    /// Runs the job on the worker's thread, which ends when there is nothing left to do.
    func submit(_ job: @escaping @Sendable () -> Void) {
        let isFirst = state.withLock { state in
            state.jobs.append(job)
            return state.jobs.count == 1
        }
        guard isFirst else { return }
        let previous = state.withLock { $0.thread.take() }
        previous?.join()
        let thread = try? NativeThread(name: "authentication") { [self] in work() }
        if let thread {
            state.withLock { $0.thread = thread }
        } else {
            // No thread to be had: late is better than never.
            work()
        }
    }

    private func work() {
        while let job = state.withLock({ $0.jobs.first }) {
            job()
            let isDone = state.withLock { state in
                // `stop` may have taken all of them meanwhile.
                if !state.jobs.isEmpty { state.jobs.removeFirst() }
                return state.jobs.isEmpty
            }
            if isDone { return }
        }
    }

    func stop() {
        let thread = state.withLock { state in
            state.jobs.removeAll()
            return state.thread.take()
        }
        thread?.join()
    }
}
