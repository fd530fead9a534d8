/// What becomes of a message, after all the rules that are for it.
public struct RuleVerdict: BitwiseCopyable, Sendable, Equatable {
    /// What becomes of a message.
    public enum Fate: UInt8, BitwiseCopyable, Sendable {
        /// It goes on as it came.
        case pass
        /// It goes on with another subject, header block or payload: see the output.
        case forward
        /// It ends here, and its sender does not hear of it. With a code it was not valid, and if the
        /// output has a subject, that is where a copy goes.
        case drop
        /// It ends here, and the output's body is the answer to it.
        case reply
        /// It is not valid: the output has what the sender is told and, if it has a subject, where
        /// a copy goes and with which header block.
        case reject
    }

    /// What becomes of the message.
    public var fate: Fate
    /// 400, 413 or 422 for what is not valid; else 0.
    public var code: Int
    /// The number of the rule that decided.
    public var rule: Int
    /// Whether who asked for a reply gets the error.
    public var repliesToInvalid: Bool

    /// A verdict of one rule, by its number.
    public init(_ fate: Fate, rule: Int = 0, code: Int = 0, repliesToInvalid: Bool = false) {
        self.fate = fate
        self.rule = rule
        self.code = code
        self.repliesToInvalid = repliesToInvalid
    }
}

/// What one rule did with a message; each is a counter's label.
public enum RuleResult: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// Valid, and nothing changed.
    case passed
    /// `when` did not hold, and the message passed, ended or went to the next rule.
    case filteredPass, filteredDrop, filteredNext
    /// Forwarded with another subject, header block or payload.
    case routed
    case replied
    case invalid
}

extension RuleResult {
    /// As counters, metrics and programs name it.
    public var label: String {
        switch self {
        case .passed: "passed"
        case .filteredPass: "filtered_pass"
        case .filteredDrop: "filtered_drop"
        case .filteredNext: "filtered_next"
        case .routed: "routed"
        case .replied: "replied"
        case .invalid: "invalid"
        }
    }
}

/// One rule's part in a verdict.
public struct RuleStep: BitwiseCopyable, Sendable, Equatable {
    /// The rule's number.
    public var rule: Int32
    /// What came of it.
    public var result: RuleResult
    /// In shadow mode nothing came of it.
    public var isShadow: Bool
    /// There should have been a dead letter, but its subject or its header block could not be made.
    public var isDeadLetterLost: Bool
    /// Of `invalid`: 400, 413 or 422.
    public var code: Int16

    /// One rule's part in a verdict.
    public init(
        rule: Int32, result: RuleResult, isShadow: Bool, code: Int16, isDeadLetterLost: Bool = false
    ) {
        self.rule = rule
        self.result = result
        self.isShadow = isShadow
        self.code = code
        self.isDeadLetterLost = isDeadLetterLost
    }
}
