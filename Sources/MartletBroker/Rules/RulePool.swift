import Glibc
import MartletRules

/// The workers of a broker. A connection's messages go to one of them while any is under way, so that
/// they keep their order.
final class RulePool: Sendable {
    let workers: [RuleWorker]
    let queueJobsMax: Int
    private let threads = Guarded<[NativeThread]>([])

    init(
        workerCount: Int, loops: [Mailbox<LoopCommand>], queueJobsMax: Int, budget: MemoryBudget,
        seed: UInt64
    ) throws(SystemFailure) {
        var workers: [RuleWorker] = []
        for index in 0..<workerCount {
            workers.append(
                try RuleWorker(
                    index: index, loops: loops, queueJobsMax: queueJobsMax, budget: budget,
                    seed: seed &+ UInt64(index)))
        }
        self.workers = workers
        self.queueJobsMax = queueJobsMax
    }

    /// The cores that the loops leave, at least one.
    static func defaultWorkerCount(loopCount: Int) -> Int {
        max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) - loopCount)
    }

    func start() throws(SystemFailure) {
        try threads.withLock { threads throws(SystemFailure) in
            for (index, worker) in workers.enumerated() {
                threads.append(try NativeThread(name: "rules-\(index)") { worker.run() })
            }
        }
    }

    /// Returns when the threads have ended.
    func stop() {
        for worker in workers { worker.stop() }
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in threads { thread.join() }
    }

    func worker(for connectionID: UInt64) -> RuleWorker {
        workers[Int(truncatingIfNeeded: connectionID % UInt64(workers.count))]
    }
}
