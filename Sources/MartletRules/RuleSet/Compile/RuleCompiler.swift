/// Compiles one rule. What is wrong is collected, so that one look at a configuration tells it all.
struct RuleCompiler {
    private let rule: RuleDefinition
    private(set) var compiled = CompiledRule()
    private(set) var errors: [String] = []
    private(set) var warnings: [String] = []
    private var pointers = PointerSet()

    static let fieldsMax = 64
    static let destinationsMax = 100
    static let weightsMax = RuleSet.weightsMax
    static let replyFieldsMax = 256

    init(_ rule: RuleDefinition, account: Int) {
        self.rule = rule
        compiled.account = Int32(account)
        compiled.otherwise = rule.otherwise
        compiled.invalidAction = rule.invalidAction
        compiled.repliesToInvalid = rule.repliesToInvalid
        compiled.isShadow = rule.mode == .shadow
        compiled.goesOn = rule.goesOn
    }

    mutating func compile(into set: inout RuleSetCompiler) {
        compiled.name = set.store(rule.name.utf8)
        checkNames()
        checkCombination()
        if !set.definition.supportsHeaders { checkHeaders() }
        compileValidation(&set)
        compileCondition(&set)
        compileFields(&set)
        compileDestinations(&set)
        compilePayload(&set)
        compileReply(&set)
        let ownPointers = pointers
        compileDeadLetter(&set)
        compileTree(&set)
        // A dead letter that needs the payload does not make it necessary.
        compiled.needsDocument =
            rule.validation != nil || !ownPointers.pointers.isEmpty
            || rule.condition != nil || rule.reply != nil
    }

    private mutating func attempt(_ what: String, _ body: () throws(RuleError) -> Void) {
        do throws(RuleError) {
            try body()
        } catch {
            errors.append("\(what): \(error.description)")
        }
    }

    private mutating func checkNames() {
        if !RuleSetCompiler.isName(rule.name) { errors.append(RuleSetCompiler.nameRule) }
        if let problem = SubjectIndexBuilder.problem(with: rule.subject) {
            errors.append("subject: \(problem)")
        }
        if let account = rule.account,
            account.isEmpty || account.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F })
        {
            errors.append("account: no name of an account: \(account)")
        }
    }

    /// What would silently have no effect is an error.
    private mutating func checkCombination() {
        if rule.reply != nil {
            if !rule.destinations.isEmpty || rule.payload != nil || !rule.headers.isEmpty {
                errors.append(
                    "reply: answers the message, so to, payload and set_headers have no effect")
            }
            if rule.goesOn { errors.append("reply: ends the message, so next has no effect") }
        }
        if rule.condition == nil && rule.otherwise != .pass {
            errors.append("else: has no effect without when")
        }
        if rule.deadLetter != nil && rule.invalidAction == .pass {
            errors.append("dead_letter: has no effect where what is not valid passes")
        }
    }

    /// Without header blocks nothing can be set, or found, in one.
    private mutating func checkHeaders() {
        if !rule.headers.isEmpty {
            errors.append("set_headers: has no effect with no_header_support")
        }
        let templates =
            rule.destinations.map { ("to", $0.template) } + [("dead_letter", rule.deadLetter ?? "")]
        for (what, template) in templates where TemplateParser.usesHeader(template) {
            errors.append("\(what): there is no header field with no_header_support: \(template)")
        }
        if rule.deadLetter != nil {
            warnings.append("dead_letter: is sent without its header fields with no_header_support")
        }
    }

    private mutating func compileValidation(_ set: inout RuleSetCompiler) {
        guard case .schema(let name) = rule.validation else { return }
        compiled.schemaName = set.store(name.utf8)
        if let schema = set.schemas[name] {
            compiled.schema = Kept(schema)
        } else if !set.hasSchema(name) {
            errors.append("validate: there is no schema \(name)")
        }
    }

    private mutating func compileCondition(_ set: inout RuleSetCompiler) {
        guard let json = rule.condition else { return }
        do throws(RuleError) {
            compiled.condition = set.keep(try Condition(json: json, pointers: &pointers))
        } catch {
            errors.append("when: \(error.description)")
        }
    }

    private mutating func template(
        _ text: String, _ purpose: Template.Purpose, what: String, _ set: inout RuleSetCompiler
    ) -> Kept<Template>? {
        do throws(RuleError) {
            return set.keep(
                try Template(text, for: purpose, source: rule.subject, pointers: &pointers))
        } catch {
            errors.append("\(what): \(error.description)")
            return nil
        }
    }

    private mutating func compileFields(_ set: inout RuleSetCompiler) {
        compiled.firstField = Int32(set.fieldNames.count)
        if rule.headers.count > Self.fieldsMax {
            errors.append("set_headers: sets at most \(Self.fieldsMax) fields")
        }
        var names: Set<String> = []
        for field in rule.headers {
            let isName = field.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }
            if field.name.isEmpty || !isName {
                errors.append("set_headers: no name of a header field: \(field.name)")
            } else if !names.insert(field.name).inserted {
                errors.append("set_headers: \(field.name) is set twice")
            }
            let what = "set_headers \(field.name)"
            guard let template = template(field.value, .header, what: what, &set) else { continue }
            set.fieldNames.append(set.store(field.name.utf8))
            set.fieldTemplates.append(template)
            compiled.fieldCount += 1
            // Each line's name is compared with each field's.
            compiled.headerReads += 1 + Int32(template.use { $0.headerPlaces })
        }
    }

    private mutating func compileDestinations(_ set: inout RuleSetCompiler) {
        compiled.firstDestination = Int32(set.destinations.count)
        if rule.destinations.count > Self.destinationsMax {
            errors.append("to: has at most \(Self.destinationsMax) destinations")
        }
        var sum = 0
        var placesMost = 0
        for destination in rule.destinations {
            guard (1...Self.weightsMax).contains(destination.weight) else {
                errors.append("to: a weight is 1 to \(Self.weightsMax): \(destination.weight)")
                continue
            }
            sum += destination.weight
            guard let template = template(destination.template, .subject, what: "to", &set) else {
                continue
            }
            set.destinations.append(
                CompiledDestination(
                    weightEnd: UInt32(truncatingIfNeeded: sum), template: template))
            compiled.destinationCount += 1
            placesMost = max(placesMost, template.use { $0.headerPlaces })
        }
        compiled.headerReads += Int32(placesMost)
        if sum > Self.weightsMax {
            errors.append("to: the weights add up to \(sum), more than \(Self.weightsMax)")
        }
    }

    private mutating func compilePayload(_ set: inout RuleSetCompiler) {
        guard let payload = rule.payload else { return }
        do throws(RuleError) {
            let pointer = try JSONPointer(payload)
            compiled.payloadSlot = Int32(pointers.slot(of: pointer))
            compiled.payloadPath = set.store(jsonString(pointer.description).dropFirst().dropLast())
        } catch {
            errors.append("payload: \(error.description)")
        }
    }

    private mutating func compileReply(_ set: inout RuleSetCompiler) {
        guard let reply = rule.reply else { return }
        if reply.count > Self.replyFieldsMax {
            errors.append("reply: has at most \(Self.replyFieldsMax) members")
        }
        var fields: [(name: String, pointer: JSONPointer)] = []
        for field in reply {
            attempt("reply \(field.name)") { () throws(RuleError) in
                fields.append((field.name, try JSONPointer(field.value)))
            }
        }
        do throws(RuleError) {
            compiled.reply = set.keep(try PickedReply(fields, pointers: &pointers))
        } catch {
            errors.append("reply: \(error.description)")
        }
    }

    private mutating func compileDeadLetter(_ set: inout RuleSetCompiler) {
        guard let deadLetter = rule.deadLetter else { return }
        compiled.deadLetter = template(deadLetter, .subject, what: "dead_letter", &set)
        let places = compiled.deadLetter.map { $0.use { $0.headerPlaces } } ?? 0
        compiled.deadLetterReads = Int32(DeadLetter.fieldNames.count + places)
    }

    private mutating func compileTree(_ set: inout RuleSetCompiler) {
        if pointers.pointers.isEmpty { return }
        if pointers.pointers.count > RuleScratch.slotsMax {
            errors.append("a rule has at most \(RuleScratch.slotsMax) pointers")
        }
        do throws(RuleError) {
            compiled.tree = set.keep(try pointers.tree())
        } catch {
            errors.append(error.description)
        }
    }
}
