import MartletRules

/// A compiled set of rules with all that belongs to it while it is in use. A reload replaces the
/// whole; jobs that are under way keep the one that they began with.
///
/// SAFETY: nothing changes after `init`; thread numbers are checked against `counters`, accounts against
/// `accountCount`.
@safe
final class ActiveRules: @unchecked Sendable {
    let set: RuleSet
    let settings: RulesConfiguration
    /// Of every thread that evaluates: the loops first, then the workers.
    let counters: [RuleCounters]
    private let countersByThread: UnsafeMutablePointer<Unmanaged<RuleCounters>>
    let failures: RuleFailures
    let gate: RuleGate
    /// For each account, the number that the rules have for it, or -1.
    private let accountNumbers: UnsafeMutablePointer<Int>
    private let accountCount: Int

    init(
        _ configuration: RulesConfiguration, threadCount: Int, accounts: AccountDirectory
    ) throws(RuleSetFailure) {
        settings = configuration
        set = try configuration.compiledSet()
        // Accounts that are named later are none of those that rules are for.
        let names = Set(configuration.definition.rules.compactMap(\.account))
        let places = names.map { (name: $0, place: accounts.place(ofAccount: $0)) }
        accountCount = 1 + (places.map(\.place).max() ?? 0)
        unsafe accountNumbers = .allocate(capacity: accountCount)
        unsafe accountNumbers.initialize(repeating: -1, count: accountCount)
        unsafe accountNumbers[0] = 0
        for (name, place) in places { unsafe accountNumbers[place] = set.account(named: name) }
        let ruleCount = set.ruleCount
        counters = (0..<threadCount).map { _ in RuleCounters(ruleCount: ruleCount) }
        unsafe countersByThread = .allocate(capacity: threadCount)
        for thread in 0..<threadCount {
            unsafe (countersByThread + thread).initialize(to: .passUnretained(counters[thread]))
        }
        failures = RuleFailures(ruleCount: ruleCount)
        gate = RuleGate(configuration.definition.rules)
    }

    deinit {
        unsafe countersByThread.deallocate()
        unsafe accountNumbers.deallocate()
    }

    @inline(__always)
    func number(ofAccount index: Int) -> Int {
        unsafe index < accountCount ? accountNumbers[index] : -1
    }

    // MARK: Counting, which touches no count of references

    func record(
        _ output: RuleOutput, thread: Int, first: Int, bytes: Int, nanoseconds: UInt64
    ) {
        precondition(thread >= 0 && thread < counters.count)
        unsafe countersByThread[thread]._withUnsafeGuaranteedRef {
            $0.record(output, first: first, bytes: bytes, nanoseconds: nanoseconds)
        }
    }

    func recordDeadLetter(rule: Int, thread: Int, isTaken: Bool) {
        precondition(thread >= 0 && thread < counters.count)
        unsafe countersByThread[thread]._withUnsafeGuaranteedRef {
            let counts = $0[rule]
            if isTaken {
                counts.pointee.deadLetters.add(1)
            } else {
                counts.pointee.deadLettersDropped.add(1)
            }
        }
    }
}

/// A first look that most messages without a rule fail: whether any rule's subject starts with this
/// byte.
struct RuleGate: BitwiseCopyable, Sendable {
    private var bits: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// Lets nothing through.
    init() {}

    init(_ rules: [RuleDefinition]) {
        for rule in rules where rule.mode != .off {
            guard let first = rule.subject.utf8.first else { continue }
            if rule.subject.hasPrefix("*.") || rule.subject == "*" || rule.subject == ">" {
                bits = (.max, .max, .max, .max)
            } else {
                insert(first)
            }
        }
    }

    private mutating func insert(_ byte: UInt8) {
        let bit: UInt64 = 1 << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: bits.0 |= bit
        case 1: bits.1 |= bit
        case 2: bits.2 |= bit
        default: bits.3 |= bit
        }
    }

    @inline(__always)
    func admits(_ byte: UInt8) -> Bool {
        let word = byte < 128 ? (byte < 64 ? bits.0 : bits.1) : (byte < 192 ? bits.2 : bits.3)
        return word &>> UInt64(byte & 63) & 1 != 0
    }
}
