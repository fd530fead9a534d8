import Dispatch

/// Runs the handlers' asynchronous work on a queue of its own: who embeds the broker and blocks the
/// threads that Swift's tasks share can still be looked at.
final class MonitorExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "monitoring")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
