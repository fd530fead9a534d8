/// A set of rules, compiled: it says which rules are for a subject and what becomes of a message,
/// without allocating, locking or logging. Any number of threads may use it, each with its own
/// scratch and output.
///
/// SAFETY: the cells never change after `init`; the set owns them and frees them once, and keeps all
/// that the rules refer to.
public final class RuleSet: Sendable {
    /// What is likely not meant: keywords of schemas that have no effect.
    public let warnings: [String]
    /// What is right and yet may surprise: answers that pass by rules.
    public let notes: [String]
    /// What scratch and output are to be made with.
    public let limits: JSONLimits
    let passesOversize: Bool
    let rules: Cells<CompiledRule>
    let fieldNames: Cells<SchemaSpan>
    let fieldTemplates: Cells<Kept<Template>>
    let destinations: Cells<CompiledDestination>
    /// Names and pointers.
    let text: Cells<UInt8>
    /// The names of the fields that dead letters get, among those of all fields.
    let deadLetterFields: Range<Int>
    private let index: SubjectIndex
    private let accounts: [String: Int]
    private let definitions: [RuleDefinition]
    private let parts: [any AnyObject & Sendable]

    /// A set has at most this many rules.
    public static let rulesMax = 10_000
    /// The weights of a rule's destinations, each from 1 on, add up to at most this.
    public static let weightsMax = 1_000_000

    /// Compiles all of it, and throws all that is wrong with it: each text begins with the place of
    /// a rule or with a schema's file.
    public init(_ definition: RuleSetDefinition) throws(RuleSetFailure) {
        var compiler = RuleSetCompiler(definition)
        compiler.compile()
        guard compiler.errors.isEmpty else { throw RuleSetFailure(errors: compiler.errors) }
        warnings = compiler.warnings
        notes = compiler.notes
        limits = definition.limits.clamped
        passesOversize = definition.passesOversize
        let dead = compiler.addDeadLetterFields()
        rules = Cells(compiler.rules)
        fieldNames = Cells(compiler.fieldNames)
        fieldTemplates = Cells(compiler.fieldTemplates)
        destinations = Cells(compiler.destinations)
        text = Cells(compiler.text)
        deadLetterFields = dead
        index = compiler.subjects.build()
        accounts = compiler.accounts
        definitions = definition.rules
        parts = compiler.parts
    }

    deinit {
        rules.free()
        fieldNames.free()
        fieldTemplates.free()
        destinations.free()
        text.free()
        index.free()
    }

    /// All rules, those that are off as well.
    public var ruleCount: Int { definitions.count }

    /// A rule's name, by its number.
    public func name(of rule: Int) -> String { definitions[rule].name }

    /// What a rule was compiled from, by its number.
    public func definition(of rule: Int) -> RuleDefinition { definitions[rule] }

    /// A number for an account, for lookups that are many: -1 if no rule is for it. nil and `$G` are
    /// the account of everybody who has no other.
    public func account(named name: String?) -> Int {
        guard let name else { return 0 }
        return accounts[name] ?? -1
    }

    /// The first rule that is for a subject, or -1.
    @unsafe public func firstRule(
        subject: UnsafePointer<UInt8>, count: Int, account: String?
    ) -> Int {
        unsafe firstRule(
            subject: subject, count: count, accountNumber: self.account(named: account))
    }

    /// The same for the number of an account.
    @unsafe public func firstRule(
        subject: UnsafePointer<UInt8>, count: Int, accountNumber: Int
    ) -> Int {
        if accountNumber < 0 { return -1 }
        let subject = unsafe Bytes(subject, count: count)
        return index.first(for: subject, account: accountNumber, after: -1)
    }

    /// The next rule that is for the message of another one, or -1.
    func nextRule(after rule: Int, for message: RuleMessage) -> Int {
        index.first(for: message.subject, account: Int(rules[rule].account), after: rule)
    }

    var textBytes: Bytes { unsafe Bytes(UnsafePointer(text.start), count: text.count) }
}
