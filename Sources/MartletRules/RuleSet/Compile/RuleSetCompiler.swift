/// Compiles a definition and collects what is wrong with it.
struct RuleSetCompiler {
    let definition: RuleSetDefinition
    private(set) var errors: [String] = []
    private(set) var warnings: [String] = []
    private(set) var notes: [String] = []
    private(set) var rules: [CompiledRule] = []
    private(set) var subjects = SubjectIndexBuilder()
    private(set) var accounts = ["$G": 0]
    private(set) var schemas: [String: JSONSchema] = [:]
    /// What rules of the set add to.
    var fieldNames: [SchemaSpan] = []
    var fieldTemplates: [Kept<Template>] = []
    var destinations: [CompiledDestination] = []
    private(set) var text: [UInt8] = []
    private(set) var parts: [any AnyObject & Sendable] = []

    static let nameBytesMax = 64

    init(_ definition: RuleSetDefinition) {
        self.definition = definition
    }

    mutating func compile() {
        guard definition.rules.count <= RuleSet.rulesMax else {
            let rule = definition.rules[RuleSet.rulesMax]
            errors.append(
                Self.place(of: rule) + "there are \(definition.rules.count) rules;"
                    + " a set has at most \(RuleSet.rulesMax)")
            return
        }
        for schema in definition.schemas { compile(schema) }
        var places: [String: String] = [:]
        for (number, rule) in definition.rules.enumerated() {
            if let other = places[rule.name] {
                errors.append(
                    Self.place(of: rule) + "there is another rule with this name"
                        + (other.isEmpty ? "" : " at \(other)"))
            }
            places[rule.name] = rule.position
            compile(rule, number: number)
        }
        addNotesOnAnswers()
    }

    private mutating func compile(_ schema: RuleSetDefinition.Schema) {
        if !Self.isName(schema.name) {
            errors.append("\(schema.path): schema \(schema.name): \(Self.nameRule)")
        }
        if schemas[schema.name] != nil {
            errors.append("\(schema.path): there is another schema with the name \(schema.name)")
        }
        var options = SchemaOptions()
        options.refusesUnknownKeywords = definition.refusesUnknownKeywords
        options.assertsFormat = definition.assertsFormat
        options.documentDepthMax = definition.limits.clamped.depthMax
        do throws(RuleError) {
            let compiled = try JSONSchema(schema.text, file: schema.path, options: options)
            warnings += compiled.warnings
            schemas[schema.name] = compiled
            _ = keep(compiled)
        } catch {
            errors.append(error.description)
        }
    }

    private mutating func compile(_ rule: RuleDefinition, number: Int) {
        let account = accountNumber(rule.account)
        var compiler = RuleCompiler(rule, account: account)
        compiler.compile(into: &self)
        let place = Self.place(of: rule)
        errors += compiler.errors.map { place + $0 }
        warnings += compiler.warnings.map { place + $0 }
        // Numbers must be those of the definitions, whatever is wrong.
        rules.append(compiler.compiled)
        if errors.isEmpty && rule.mode != .off {
            subjects.add(rule: number, subject: rule.subject, account: account)
        }
    }

    /// Whoever asks chooses the subject of the answer, and with a payload what is in it.
    private mutating func addNotesOnAnswers() {
        let active = definition.rules.filter { $0.mode != .off }
        for rule in active where rule.reply != nil {
            let others = active.filter { $0.account == rule.account && $0.name != rule.name }
            guard let other = others.first else { continue }
            notes.append(
                Self.place(of: rule) + "whoever asks chooses the reply subject, so an answer can be"
                    + " published to `\(other.subject)` without passing rule \(other.name)")
        }
    }

    private mutating func accountNumber(_ name: String?) -> Int {
        guard let name else { return 0 }
        if let known = accounts[name] { return known }
        let number = accounts.count
        accounts[name] = number
        return number
    }

    /// Whether a schema of the set has the name, even one that has errors.
    func hasSchema(_ name: String) -> Bool { definition.schemas.contains { $0.name == name } }

    mutating func keep<Object: AnyObject & Sendable>(_ object: Object) -> Kept<Object> {
        parts.append(object)
        return Kept(object)
    }

    mutating func store(_ bytes: some Sequence<UInt8>) -> SchemaSpan {
        let start = text.count
        text += bytes
        return SchemaSpan(offset: Int32(start), length: Int32(text.count - start))
    }

    /// Behind the fields of all rules.
    mutating func addDeadLetterFields() -> Range<Int> {
        let start = fieldNames.count
        for name in DeadLetter.fieldNames { fieldNames.append(store(name.utf8)) }
        return start..<fieldNames.count
    }

    static let nameRule = "a name has 1 to \(nameBytesMax) letters, digits, _, . and -"

    static func isName(_ name: String) -> Bool {
        (1...nameBytesMax).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy { scalar in
                ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
                    || ("0"..."9").contains(scalar) || "_.-".unicodeScalars.contains(scalar)
            }
    }

    private static func place(of rule: RuleDefinition) -> String {
        (rule.position.isEmpty ? "" : "\(rule.position): ") + "rule \(rule.name): "
    }
}
