import Glibc
import MartletRules

/// Evaluates rules for messages that would hold a loop up.
///
/// SAFETY: one thread; payload buffers come back through a stack that any thread may push on.
@safe
final class RuleWorker: Worker {
    private let pool: BlockPool
    private let returns = ReturnStack()
    /// Which of the counters of a set are its own.
    private let thread: Int
    private let seed: UInt64
    private var evaluator: RuleEvaluator?

    init(thread: Int, budget: MemoryBudget, seed: UInt64) {
        self.thread = thread
        self.seed = seed
        pool = BlockPool(budget: budget)
    }

    deinit {
        returns.collect(into: pool)
        returns.destroy()
        pool.destroy()
    }

    func carryOut(_ job: inout RuleJob) {
        unsafe job.rules._withUnsafeGuaranteedRef { rules in
            let evaluator = evaluator(for: rules)
            guard
                let verdict = evaluator.evaluate(
                    job.message, from: job.rule, of: rules, clientID: job.clientID, stepsMax: .max)
            else { preconditionFailure("without a limit an evaluation ends") }
            job.verdict = verdict
            job.steps = evaluator.stepsSpent
            job.result = keep(evaluator.output)
        }
    }

    /// Made anew when a reload brings other limits.
    private func evaluator(for rules: ActiveRules) -> RuleEvaluator {
        if let evaluator, evaluator.limits == rules.set.limits { return evaluator }
        let fresh = RuleEvaluator(
            limits: rules.set.limits, clock: .machine, thread: thread, seed: seed)
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
        guard let buffer = PayloadBuffer.makeOverBudget(count, pool: pool, owner: returns) else {
            result.isLost = true
            return result
        }
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
