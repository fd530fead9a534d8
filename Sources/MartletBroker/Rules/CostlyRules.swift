/// Which rules have lately met a message that was too much for a loop: their messages go to workers at once.
/// By the first rule that a message meets, so that those behind it are seen with it.
///
/// SAFETY: the loop's thread alone uses it; rule numbers are checked against `ruleCount`.
@safe
struct CostlyRules {
    /// What a loop takes at most to evaluate one message that a worker could have, in steps: about 100 µs.
    static let stepsMax = 24 << 10
    /// After this long a loop tries again: so one attempt in vain is a thousandth of its time.
    static let nanoseconds: UInt64 = 100_000_000

    private let ends: UnsafeMutablePointer<UInt64>
    private let ruleCount: Int
    private var lastEnd: UInt64 = 0
    /// Whether to look at all. It stays while a worker is full: messages that are begun with here may need
    /// the room that is left there for them.
    private(set) var mayBeAny = true

    init(ruleCount: Int) {
        self.ruleCount = ruleCount
        unsafe ends = .allocate(capacity: max(1, ruleCount))
        unsafe ends.initialize(repeating: 0, count: max(1, ruleCount))
    }

    func destroy() { unsafe ends.deallocate() }

    func contains(_ rule: Int, at now: UInt64) -> Bool {
        precondition(rule >= 0 && rule < ruleCount)
        return unsafe mayBeAny && now < ends[rule]
    }

    mutating func insert(_ rule: Int, at now: UInt64) {
        precondition(rule >= 0 && rule < ruleCount)
        lastEnd = now &+ Self.nanoseconds
        unsafe ends[rule] = lastEnd
        mayBeAny = true
    }

    /// Looks no more once each has had its time.
    mutating func forget(at now: UInt64, isAnyWorkerFull: Bool) {
        if now >= lastEnd && !isAnyWorkerFull { mayBeAny = false }
    }
}
