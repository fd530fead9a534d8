import Glibc
import MartletRules
import Synchronization

/// A thread that evaluates rules for messages that would hold a loop up. Each loop has a ring of jobs
/// to it and a ring of results from it, so that neither waits for the other.
///
/// SAFETY: what changes belongs to the thread that runs `run()`; rings have one thread at each end;
/// payload buffers come back through a stack that any thread may push on.
@safe
final class RuleWorker: @unchecked Sendable {
    let wakeup: ThreadWakeup
    /// By loop.
    let jobs: [StablePointer<JobRing<RuleJob>>]
    let results: [StablePointer<JobRing<RuleJob>>]
    private let index: Int
    private let loops: [Mailbox<LoopCommand>]
    private let pool: BlockPool
    private let returns = ReturnStack()
    private let seed: UInt64
    private let mustStop = Atomic<Bool>(false)
    private var evaluator: RuleEvaluator?

    /// Messages evaluated for one loop before the others are looked at.
    private static let jobsAtOnce = 16

    init(
        index: Int, loops: [Mailbox<LoopCommand>], queueJobsMax: Int, budget: MemoryBudget,
        seed: UInt64
    ) throws(SystemFailure) {
        self.index = index
        self.loops = loops
        self.seed = seed
        wakeup = try ThreadWakeup()
        pool = BlockPool(budget: budget)
        jobs = loops.map { _ in StablePointer(allocating: JobRing(capacity: queueJobsMax)) }
        results = loops.map { _ in StablePointer(allocating: JobRing(capacity: queueJobsMax)) }
    }

    deinit {
        returns.collect(into: pool)
        for ring in jobs + results { ring.destroy() }
        returns.destroy()
        pool.destroy()
    }

    /// The thread's life.
    func run() {
        while !mustStop.load(ordering: .relaxed) {
            wakeup.wait()
            while evaluateSome() {}
        }
    }

    /// The thread returns soon; what is in the rings stays there.
    func stop() {
        mustStop.store(true, ordering: .relaxed)
        wakeup.wake()
    }

    /// Whether there was anything to do.
    private func evaluateSome() -> Bool {
        var isBusy = false
        for loop in loops.indices {
            for _ in 0..<Self.jobsAtOnce {
                guard !mustStop.load(ordering: .relaxed), let job = jobs[loop].pointee.pop() else {
                    break
                }
                isBusy = true
                // A ring of results holds as much as that of jobs, and the loop counts what is out.
                _ = results[loop].pointee.push(evaluated(job))
                loops[loop].wake()
            }
        }
        return isBusy
    }

    private func evaluated(_ job: RuleJob) -> RuleJob {
        var job = job
        job.verdict = unsafe job.rules._withUnsafeGuaranteedRef { rules in
            let evaluator = evaluator(for: rules)
            let verdict = evaluator.evaluate(
                job.message, from: job.rule, of: rules, clientID: job.clientID)
            job.result = keep(evaluator.output)
            return verdict
        }
        return job
    }

    /// Made anew when a reload brings other limits.
    private func evaluator(for rules: ActiveRules) -> RuleEvaluator {
        if let evaluator, evaluator.limits == rules.set.limits { return evaluator }
        let fresh = RuleEvaluator(
            limits: rules.set.limits, clock: .machine, thread: loops.count + index, seed: seed)
        evaluator = fresh
        return fresh
    }

    /// Copies what was written to a block that lives until the loop is done with it.
    private func keep(_ output: RuleOutput) -> RuleResultBytes {
        var result = RuleResultBytes()
        result.subjectCount = output.subjectCount
        result.headerCount = output.headerCount
        result.bodyCount = output.bodyCount
        result.messageCount = output.messageCount
        if let slice = output.slice {
            result.sliceStart = slice.lowerBound
            result.sliceCount = slice.count
        }
        let count =
            output.subjectCount + output.headerCount + output.bodyCount + output.messageCount
        guard count > 0 else { return result }
        returns.collect(into: pool)
        let buffer =
            PayloadBuffer.make(count, pool: pool, owner: returns)
            ?? PayloadBuffer.makeAlways(count, pool: pool, owner: returns)
        var end = unsafe PayloadBuffer.bytes(buffer)
        func append(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) {
            unsafe memcpy(end, bytes, count)
            unsafe end += count
        }
        unsafe append(output.subject, output.subjectCount)
        unsafe append(output.header, output.headerCount)
        unsafe append(output.body, output.bodyCount)
        unsafe append(output.message, output.messageCount)
        result.buffer = buffer
        return result
    }
}
