import Synchronization

/// What was not valid lately, for people: the last few of each rule, without the payload.
final class RuleFailures: Sendable {
    struct Failure: Sendable {
        var unixNanoseconds: Int64
        var clientID: UInt64
        var subject: String
        var code: Int
        /// The JSON pointer to it; empty for the whole payload, or if it is no place in it.
        var path: String
        /// Where in the payload; -1 if it is no place in it.
        var offset: Int
        /// Which keyword of the schema or what of the text.
        var message: String
    }

    static let kept = 16

    private let rings: Guarded<[Ring]>
    /// A flood of invalid messages is counted in full and recorded in part: texts and a lock cost more
    /// than finding out that a message is not valid.
    private let nextRecordAt = Atomic<UInt64>(0)
    private static let nanosecondsBetweenRecords: UInt64 = 10_000_000

    private struct Ring {
        var all: [Failure] = []
        var next = 0
    }

    init(ruleCount: Int) {
        rings = Guarded(Array(repeating: Ring(), count: ruleCount))
    }

    /// Whether it is time to record one again, by the clock of the loops.
    func isDue(at now: UInt64) -> Bool {
        let due = nextRecordAt.load(ordering: .relaxed)
        guard now >= due else { return false }
        return nextRecordAt.compareExchange(
            expected: due, desired: now &+ Self.nanosecondsBetweenRecords, ordering: .relaxed
        ).exchanged
    }

    func record(_ failure: Failure, rule: Int) {
        rings.withLock { rings in
            guard rings[rule].all.count == Self.kept else { return rings[rule].all.append(failure) }
            rings[rule].all[rings[rule].next] = failure
            rings[rule].next = (rings[rule].next + 1) % Self.kept
        }
    }

    /// The oldest first.
    func last(of rule: Int) -> [Failure] {
        rings.withLock { Array($0[rule].all[$0[rule].next...] + $0[rule].all[..<$0[rule].next]) }
    }
}
