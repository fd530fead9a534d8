/// Threads that do work for several owners, such as loops, which must not wait for it.
final class WorkerPool<Work: Worker, Owner: Wakeable>: Sendable {
    /// Jobs that one worker may have of one owner.
    let jobsMax: Int
    private let name: String
    private let workers: [WorkerThread<Work, Owner>]
    private let threads = Guarded<[NativeThread]>([])

    /// - Parameter name: what its threads are called, before their number.
    init(
        name: String, workers: [Work], owners: [Owner], jobsMax: Int
    ) throws(SystemFailure) {
        self.name = name
        self.jobsMax = jobsMax
        var all: [WorkerThread<Work, Owner>] = []
        for worker in workers {
            all.append(try WorkerThread(worker, owners: owners, jobsMax: jobsMax))
        }
        self.workers = all
    }

    var workerCount: Int { workers.count }

    /// An owner's ways to the workers; they keep the pool.
    func links(ofOwner index: Int) -> WorkerLinks<Work.Job> {
        WorkerLinks(workers.map { $0.link(ofOwner: index) }, of: self)
    }

    func start() throws(SystemFailure) {
        try threads.withLock { threads throws(SystemFailure) in
            for (index, worker) in workers.enumerated() {
                threads.append(try NativeThread(name: "\(name)-\(index)") { worker.run() })
            }
        }
    }

    /// Returns when the threads have ended. What is in the rings stays there, for the owners to take.
    func stop() {
        for worker in workers { worker.stop() }
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in threads { thread.join() }
    }
}
