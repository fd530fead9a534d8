import MartletRules
import Synchronization

/// What one thread has counted of one set of rules. The thread alone writes, with a plain load and
/// store each; others read whenever they like and add the threads up.
///
/// SAFETY: the block is made for `ruleCount` rules, and rule numbers come from the set that has so
/// many.
@safe
final class RuleCounters: @unchecked Sendable {
    /// One rule's.
    struct Counts: ~Copyable {
        /// By `RuleResult`, and the same for shadow mode.
        let results = InlineArray<16, LoopCounters.Count> { _ in LoopCounters.Count() }
        /// Of what was not valid: 400, 413, 422.
        let codes = InlineArray<3, LoopCounters.Count> { _ in LoopCounters.Count() }
        let matched = LoopCounters.Count()
        let bytes = LoopCounters.Count()
        let deadLetters = LoopCounters.Count()
        /// Dead letters that nobody had subscribed to.
        let deadLettersDropped = LoopCounters.Count()
        /// Dead letters whose subject or header block could not be made.
        let deadLettersLost = LoopCounters.Count()
        /// Evaluations that began with this rule, by how long they took.
        let nanoseconds = LoopCounters.Count()
        let times = InlineArray<16, LoopCounters.Count> { _ in LoopCounters.Count() }
        private let longest = Atomic<UInt64>(0)

        func record(nanoseconds taken: UInt64) {
            nanoseconds.add(Int(truncatingIfNeeded: taken))
            times[RuleCounters.timeBucket(of: taken)].add(1)
            if taken > longest.load(ordering: .relaxed) {
                longest.store(taken, ordering: .relaxed)
            }
        }

        var longestNanoseconds: UInt64 { longest.load(ordering: .relaxed) }
    }

    let ruleCount: Int
    private let counts: UnsafeMutablePointer<Counts>

    init(ruleCount: Int) {
        self.ruleCount = ruleCount
        unsafe counts = .allocate(capacity: max(1, ruleCount))
        for rule in 0..<ruleCount { unsafe (counts + rule).initialize(to: Counts()) }
    }

    deinit {
        unsafe counts.deinitialize(count: ruleCount)
        unsafe counts.deallocate()
    }

    @inline(__always)
    subscript(rule: Int) -> StablePointer<Counts> {
        precondition(rule >= 0 && rule < ruleCount)
        return unsafe StablePointer(counts + rule)
    }

    /// Powers of two from 256 ns on; the last one takes what is longer than 4 ms.
    static func timeBucket(of nanoseconds: UInt64) -> Int {
        min(15, UInt64.bitWidth - (nanoseconds &>> 8).leadingZeroBitCount)
    }

    /// Counts what an evaluation's rules did.
    func record(_ output: RuleOutput, first: Int, bytes: Int, nanoseconds: UInt64) {
        for index in 0..<output.stepCount {
            let step = unsafe output.steps[index]
            let counts = self[Int(step.rule)]
            counts.pointee.matched.add(1)
            counts.pointee.bytes.add(bytes)
            counts.pointee.results[Int(step.result.rawValue) + (step.isShadow ? 8 : 0)].add(1)
            if step.isDeadLetterLost { counts.pointee.deadLettersLost.add(1) }
            if step.result == .invalid {
                counts.pointee.codes[step.code == 400 ? 0 : step.code == 413 ? 1 : 2].add(1)
            }
        }
        if output.stepCount > 0 { self[first].pointee.record(nanoseconds: nanoseconds) }
    }
}
