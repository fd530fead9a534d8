/// Why a message is not valid for a rule.
enum RuleFailure {
    case payload(JSONFailure)
    case violation(SchemaViolation)
    /// Schema or condition are more work than the document's size allows.
    case tooComplex
    case destination(TemplateFailure)
    /// One of the set's fields.
    case field(Int, TemplateFailure)
    /// The part to be forwarded is not there.
    case missingPart
    case headerTooLarge
    case replyTooLarge
    /// More rules than a message may meet.
    case tooManyRules

    var code: Int {
        switch self {
        case .payload(let failure): failure.code
        case .violation, .destination, .field, .missingPart: 422
        case .tooComplex, .headerTooLarge, .replyTooLarge, .tooManyRules: 413
        }
    }

    /// What programs can compare; a violation's is its keyword.
    var name: StaticString {
        switch self {
        case .payload(let failure): failure.reason.name
        case .violation: "schema"
        case .tooComplex, .tooManyRules: "too_complex"
        case .destination(let failure), .field(_, let failure): failure.name
        case .missingPart: "missing_value"
        case .headerTooLarge: "header_too_large"
        case .replyTooLarge: "reply_too_large"
        }
    }
}

/// What a rule finds of a message.
enum RuleFinding {
    case passed, filtered, routed, replied
    case invalid(RuleFailure)
}
