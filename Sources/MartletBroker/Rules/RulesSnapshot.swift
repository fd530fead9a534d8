public import MartletRules

/// What a broker's rules have counted at one moment; monitoring reads nothing else.
public struct RulesSnapshot: Sendable {
    /// One rule's counts since it was read.
    public struct Rule: Sendable {
        /// The rule's key in the configuration.
        public var name = ""
        /// nil is `$G`.
        public var account: String?
        /// The subject filter that it is for.
        public var subject = ""
        /// Whether it acts or only counts.
        public var mode = RuleDefinition.Mode.enforce
        /// Messages that the rule looked at.
        public var matched = 0
        /// Payload bytes of these messages.
        public var bytes = 0
        /// The messages by what became of them.
        public var results: [RuleResult: Int] = [:]
        /// By what would have become of them, in shadow mode.
        public var shadowResults: [RuleResult: Int] = [:]
        /// What was not valid, by status: 400, 413, 422.
        public var invalidByCode: [Int: Int] = [:]
        /// Dead letters that were published.
        public var deadLetters = 0
        /// Dead letters that nobody had subscribed to.
        public var deadLettersDropped = 0
        /// Dead letters whose subject or header block could not be made.
        public var deadLettersLost = 0
        /// Evaluations that began with this rule.
        public var evaluations = 0
        /// Time that all evaluations took.
        public var nanosecondsTotal = 0
        /// The longest evaluation.
        public var nanosecondsMax: UInt64 = 0
        /// Evaluations by how long they took; see `timeBounds`.
        public var times = [Int](repeating: 0, count: 16)
        /// The last messages that were not valid, oldest first.
        public var failures: [Failure] = []
    }

    /// A message that was not valid; nothing of its payload is kept.
    public struct Failure: Sendable {
        /// Since 1970, UTC.
        public var unixNanoseconds: Int64
        /// INFO's client_id of the publisher.
        public var clientID: UInt64
        /// The subject that it was published to.
        public var subject: String
        /// 400, 413 or 422.
        public var code: Int
        /// The JSON pointer to it; empty for the whole payload, or if it is no place in it.
        public var path: String
        /// The byte of the payload; -1 if it is no place in it.
        public var offset: Int
        /// What was wrong, without anything of the payload.
        public var message: String
    }

    /// The longest evaluation that each bucket but the last one counts, in nanoseconds.
    public static let timeBounds: [UInt64] = (0..<15).map { 256 << $0 }

    /// Threads that evaluate large messages.
    public var workerCount = 0
    /// The rules in the order of the configuration.
    public var rules: [Rule] = []

    init(_ active: ActiveRules, workerCount: Int) {
        self.workerCount = workerCount
        rules = (0..<active.set.ruleCount).map { Self.rule($0, of: active) }
    }

    private static func rule(_ index: Int, of active: ActiveRules) -> Rule {
        let definition = active.set.definition(of: index)
        var rule = Rule()
        rule.name = definition.name
        rule.account = definition.account
        rule.subject = definition.subject
        rule.mode = definition.mode
        for counters in active.counters { add(counters[index], to: &rule) }
        rule.failures = active.failures.last(of: index).map {
            Failure(
                unixNanoseconds: $0.unixNanoseconds, clientID: $0.clientID, subject: $0.subject,
                code: $0.code, path: $0.path, offset: $0.offset, message: $0.message)
        }
        return rule
    }

    private static func add(_ counts: StablePointer<RuleCounters.Counts>, to rule: inout Rule) {
        rule.matched += counts.pointee.matched.total
        rule.bytes += counts.pointee.bytes.total
        for result in RuleResult.allCases {
            let place = Int(result.rawValue)
            rule.results[result, default: 0] += counts.pointee.results[place].total
            rule.shadowResults[result, default: 0] += counts.pointee.results[place + 8].total
        }
        for (place, code) in [400, 413, 422].enumerated() {
            rule.invalidByCode[code, default: 0] += counts.pointee.codes[place].total
        }
        rule.deadLetters += counts.pointee.deadLetters.total
        rule.deadLettersDropped += counts.pointee.deadLettersDropped.total
        rule.deadLettersLost += counts.pointee.deadLettersLost.total
        rule.nanosecondsTotal += counts.pointee.nanoseconds.total
        rule.nanosecondsMax = max(rule.nanosecondsMax, counts.pointee.longestNanoseconds)
        for place in 0..<rule.times.count {
            rule.times[place] += counts.pointee.times[place].total
            rule.evaluations += counts.pointee.times[place].total
        }
    }
}
