/// What a `rules` block says, before it is compiled: names and texts as they were written.
public struct RuleSetDefinition: Sendable, Equatable {
    /// A schema's file, as it was read.
    public struct Schema: Sendable, Equatable {
        /// The name by which rules refer to it.
        public var name: String
        /// The file that it came from, for errors.
        public var path: String
        /// The schema as JSON.
        public var text: [UInt8]

        /// A schema under a name.
        public init(name: String, path: String, text: [UInt8]) {
            self.name = name
            self.path = path
            self.text = text
        }
    }

    /// The schemas that rules refer to.
    public var schemas: [Schema] = []
    /// In the order in which they are tried.
    public var rules: [RuleDefinition] = []
    /// What payloads may have.
    public var limits = JSONLimits()
    /// Whether a keyword that JSON Schema does not have is an error rather than a warning.
    public var refusesUnknownKeywords = false
    /// Whether `format` is checked.
    public var assertsFormat = false
    /// Whether a payload over the limit passes as it is rather than being rejected.
    public var passesOversize = false
    /// Whether the server and its clients have header blocks.
    public var supportsHeaders = true

    /// No rules yet.
    public init() {}
}

/// One rule: which messages it is for, what they must be like, and what becomes of them.
public struct RuleDefinition: Sendable, Equatable {
    /// What a payload has to be.
    public enum Validation: Sendable, Equatable {
        /// Strict JSON.
        case json
        /// A schema of the set, by name.
        case schema(String)
    }

    /// What becomes of a message for which `when` does not hold.
    public enum Otherwise: String, BitwiseCopyable, Sendable, CaseIterable {
        case pass, drop, next
    }

    /// What becomes of a message that is not valid.
    public enum InvalidAction: String, BitwiseCopyable, Sendable, CaseIterable {
        /// It ends here; who asked for a reply gets the error.
        case reject
        /// It ends here, and nobody hears of it.
        case drop
        /// It is counted and goes on as it came.
        case pass
    }

    /// Whether a rule acts, only counts, or does nothing.
    public enum Mode: String, Sendable, CaseIterable {
        case enforce
        /// Everything is counted, nothing is changed.
        case shadow
        case off
    }

    /// A template, and how often it is chosen among its like.
    public struct Destination: Sendable, Equatable {
        /// The subject, a template.
        public var template: String
        /// How often it is chosen, beside the other destinations' weights.
        public var weight: Int

        /// A destination with its weight.
        public init(template: String, weight: Int = 100) {
            self.template = template
            self.weight = weight
        }
    }

    /// A header field or a member of a reply: a name, and a template or a pointer.
    public struct Field: Sendable, Equatable {
        /// Its name.
        public var name: String
        /// A template or a pointer.
        public var value: String

        /// A name with what it stands for.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The rule's key in the configuration.
    public var name: String
    /// Literal or with wildcards.
    public var subject: String
    /// nil is the account of everybody who has no other.
    public var account: String?
    /// What the payload has to be; nil for whatever it is.
    public var validation: Validation?
    /// The pattern of `when`, as JSON text.
    public var condition: [UInt8]?
    /// What becomes of messages that the condition does not match.
    public var otherwise = Otherwise.pass
    /// Headers that the message gets, a template each.
    public var headers: [Field] = []
    /// With none, the subject stays.
    public var destinations: [Destination] = []
    /// A JSON Pointer: only its value is forwarded.
    public var payload: String?
    /// A reply of picked values: names and JSON Pointers. The message ends here.
    public var reply: [Field]?
    /// What becomes of a message that is not valid.
    public var invalidAction = InvalidAction.reject
    /// A template of the subject that gets what is not valid.
    public var deadLetter: String?
    /// Whether who asked for a reply gets the error.
    public var repliesToInvalid = true
    /// Whether it acts, only counts, or does nothing.
    public var mode = Mode.enforce
    /// Whether the rules behind this one are tried too. What they do adds up: fields are set one after
    /// another, and the last `to` and `payload` count. All see the message as it came.
    public var goesOn = false
    /// Where it stands, for errors: file, line and column.
    public var position: String

    /// A rule for the messages of a subject filter that lets all of them pass.
    public init(name: String, subject: String, position: String = "") {
        self.name = name
        self.subject = subject
        self.position = position
    }
}
