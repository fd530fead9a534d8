public import MartletRules

/// `rules { … }`: what becomes of messages by what is in them, and how much work may wait for that.
public struct RulesConfiguration: Sendable, Equatable {
    /// Whether messages of one publisher stay in order.
    public enum Order: String, Sendable, CaseIterable {
        /// What a connection publishes is delivered in the order in which it came.
        case publisher
        /// A message may overtake one that a worker is still at.
        case none
    }

    /// The rules themselves, before they are compiled.
    public var definition = RuleSetDefinition() {
        didSet { compiled = nil }
    }
    /// What `definition` compiles to, once somebody wanted to know.
    private var compiled: RuleSet?
    /// Worker threads; nil lets the broker decide, 0 leaves all to the loops.
    public var workerCount: Int?
    /// Messages that may wait for one worker.
    public var queueJobsMax = 4_096
    /// Whether messages of one publisher stay in order, large ones included.
    public var order = Order.publisher
    /// A payload below this many bytes is looked at on the loop, where no thread has to wake for it: a
    /// worker's answer takes 12 to 17 µs longer, about what a loop needs for 8 KB (bench/rules-hop).
    public var inlineBytesMax = 8 << 10

    /// No rules yet.
    public init() {}

    /// Compiles the rules, once: copies have the result too.
    @discardableResult
    mutating func compile() throws(RuleSetFailure) -> RuleSet {
        let set = try compiledSet()
        compiled = set
        return set
    }

    /// Rules for a broker with or without headers: without, a rule that sets some is an error.
    mutating func setSupportsHeaders(_ supported: Bool) {
        if definition.supportsHeaders != supported { definition.supportsHeaders = supported }
    }

    /// The compiled rules. Throws with everything that is wrong with them.
    package func compiledSet() throws(RuleSetFailure) -> RuleSet {
        if let compiled { return compiled }
        return try RuleSet(definition)
    }

    /// What is right and yet may surprise; empty for rules that do not compile.
    package var notes: [String] { (try? compiledSet())?.notes ?? [] }

    /// Whether they say the same, compiled or not.
    public static func == (one: RulesConfiguration, other: RulesConfiguration) -> Bool {
        one.definition == other.definition && one.workerCount == other.workerCount
            && one.queueJobsMax == other.queueJobsMax && one.order == other.order
            && one.inlineBytesMax == other.inlineBytesMax
    }
}
