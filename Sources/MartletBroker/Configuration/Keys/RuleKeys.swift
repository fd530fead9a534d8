import MartletRules

/// One rule of `rules { … }`.
extension ConfigurationTable {
    static let rule = ConfigurationBlock<RuleDefinition>(
        "rules.<name>", "A rule; they are tried in the order of the file.", refusesRepetition: true,
        [
            Key(
                "subject", sets: \.subject, takes: .anyText, default: "needed",
                reload: .partOfOthers, "The messages that it is for, wildcards included."),
            Key(
                "account", takes: "the name of an account", default: "`$G`",
                "The account that the messages are published in."
            ) { (entry, root, reader) throws(ConfigurationComplaint) in
                let name = try entry.value.optionalString(entry.name)
                root.account = name == BrokerConfiguration.globalAccountName ? nil : name
                if let account = root.account { reader.accounts.ofRules.append((entry, account)) }
            },
            Key(
                "validate", takes: "json, or { schema: name }", default: "nothing",
                "What the payload has to be."
            ) { (entry, root, reader) throws(ConfigurationComplaint) in
                root.validation = try reader.validation(entry.value)
            },
            Key(
                "when", takes: "a map, or JSON in a string", default: "always",
                "A pattern that the payload has to match."
            ) { (entry, root, _) throws(ConfigurationComplaint) in
                root.condition = try entry.value.condition(entry.name)
            },
            Key(
                "else", sets: \.otherwise, takes: .choice, reload: .partOfOthers,
                "What becomes of messages that `when` does not match."),
            Key(
                "mode", sets: \.mode, takes: .mode, reload: .partOfOthers,
                "Whether the rule acts, only counts, or does nothing."),
            Key(
                "next", sets: \.goesOn, takes: .toggle, reload: .partOfOthers,
                "Whether the rules behind this one are tried too."),
        ], ruleActions)

    static let invalid = ConfigurationBlock<RuleDefinition>(
        "rules.<name>.on_invalid", "What becomes of a message that is not valid.",
        refusesRepetition: true,
        [
            Key(
                "action", sets: \.invalidAction, takes: .choice, reload: .partOfOthers,
                "Whether it is rejected, dropped, or passes."),
            Key(
                "dead_letter", takes: "a subject's template", default: "none",
                "A subject that gets the message."
            ) { (entry, root, _) throws(ConfigurationComplaint) in
                root.deadLetter = try entry.value.string(entry.name)
            },
            Key(
                "reply", sets: \.repliesToInvalid, takes: .toggle, reload: .partOfOthers,
                "Whether who asked for a reply gets the error."),
        ])

    /// `validate { … }`.
    static let validation = ConfigurationBlock<ConfiguredValidation>(
        "rules.<name>.validate", "What the payload has to be.", refusesRepetition: true,
        [
            Key("schema", takes: "the name of a schema", "The schema that it has to match.") {
                (entry, root, _) throws(ConfigurationComplaint) in
                root.found = .schema(try entry.value.string(entry.name))
            },
            // There is no other way to look at JSON, so nothing else can be asked for.
            Key("json", takes: "strict", default: "strict", "How JSON is read.") {
                (entry, _, _) throws(ConfigurationComplaint) in
                let text = try entry.value.string(entry.name)
                guard text.lowercased() == "strict" else {
                    throw entry.value.complaint("\"\(entry.name)\" takes strict, not \"\(text)\"")
                }
            },
        ])
}

extension RuleDefinition: ConfigurationRoot {
    static let defaults = RuleDefinition(name: "", subject: "")
}

struct ConfiguredValidation: ConfigurationRoot {
    static let defaults = ConfiguredValidation()

    var found = RuleDefinition.Validation.json
}

extension ConfigurationForm<RuleDefinition.Mode> {
    /// `off` without quotes is a boolean of the grammar.
    fileprivate static var mode: ConfigurationForm {
        let all = choice
        return ConfigurationForm(all.words, shown: all.shown) {
            (entry, reader) throws(ConfigurationComplaint) in
            if case .boolean(false) = entry.value.content { return .off }
            return try all.read(entry, &reader)
        }
    }
}

extension ConfigurationReader {
    /// False for what is no map, and so no rule.
    mutating func readRule(
        _ entry: ConfigurationMap.Entry, into definition: inout RuleSetDefinition
    ) throws(ConfigurationComplaint) -> Bool {
        guard case .map(let map) = entry.value.content else { return false }
        let hasSubject = map.has("subject")
        // What other rules take parts from is no rule itself.
        if entry.isVariable, !hasSubject { return true }
        guard hasSubject else {
            throw entry.value.complaint("rule \"\(entry.key)\" has no subject")
        }
        var rule = RuleDefinition(
            name: entry.key, subject: "", position: entry.value.position.description)
        read(map, ConfigurationTable.rule, into: &rule)
        definition.rules.append(rule)
        return true
    }

    fileprivate mutating func validation(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> RuleDefinition.Validation {
        switch value.content {
        case .string(let text) where text.lowercased() == "json":
            return .json
        case .map(let map):
            var validation = ConfiguredValidation.defaults
            read(map, ConfigurationTable.validation, into: &validation)
            return validation.found
        case .string(let text):
            throw value.complaint("\"validate\" takes json or { schema: name }, not \"\(text)\"")
        default:
            throw value.mismatch("validate", takes: "json or { schema: name }")
        }
    }
}
