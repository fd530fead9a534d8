import MartletRules

/// One rule of `rules { … }`.
extension ConfigurationReader {
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
        for entry in map.entries {
            readOnce(entry) { (reader, key, entry) throws(ConfigurationComplaint) in
                try reader.readRuleEntry(key, entry, into: &rule)
            }
        }
        definition.rules.append(rule)
        return true
    }

    private mutating func readRuleEntry(
        _ key: String, _ entry: ConfigurationMap.Entry, into rule: inout RuleDefinition
    ) throws(ConfigurationComplaint) -> Bool {
        let value = entry.value
        switch key {
        case "subject": rule.subject = try value.string(key)
        case "account": try readRuleAccount(entry, into: &rule)
        case "validate": rule.validation = try validation(value)
        case "when": rule.condition = try value.condition(key)
        case "else": rule.otherwise = try value.choice(key)
        case "set_headers": rule.headers = try fields(key, value)
        case "to": rule.destinations = try destinations(value)
        case "payload": rule.payload = try value.string(key)
        case "reply": rule.reply = try reply(value)
        case "on_invalid": try readInvalid(value, into: &rule)
        case "mode": rule.mode = try value.mode(key)
        case "next": rule.goesOn = try value.boolean(key)
        default: return false
        }
        return true
    }

    private mutating func readRuleAccount(
        _ entry: ConfigurationMap.Entry, into rule: inout RuleDefinition
    ) throws(ConfigurationComplaint) {
        let name = try entry.value.optionalString(entry.key)
        rule.account = name == BrokerConfiguration.globalAccountName ? nil : name
        if let account = rule.account { ruleAccounts.append((entry, account)) }
    }

    // MARK: Validation

    private mutating func validation(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> RuleDefinition.Validation {
        switch value.content {
        case .string(let text) where text.lowercased() == "json":
            return .json
        case .map(let map):
            var found = RuleDefinition.Validation.json
            for entry in map.entries {
                readOnce(entry) { (_, key, entry) throws(ConfigurationComplaint) in
                    switch key {
                    case "schema": found = .schema(try entry.value.string(key))
                    case "json": try entry.value.expectStrict(key)
                    default: return false
                    }
                    return true
                }
            }
            return found
        case .string(let text):
            throw value.complaint("\"validate\" takes json or { schema: name }, not \"\(text)\"")
        default:
            throw value.mismatch("validate", takes: "json or { schema: name }")
        }
    }

    private mutating func readInvalid(
        _ value: ConfigurationValue, into rule: inout RuleDefinition
    ) throws(ConfigurationComplaint) {
        guard case .map(let map) = value.content else {
            rule.invalidAction = try value.choice("on_invalid")
            return
        }
        for entry in map.entries {
            readOnce(entry) { (_, key, entry) throws(ConfigurationComplaint) in
                switch key {
                case "action": rule.invalidAction = try entry.value.choice(key)
                case "dead_letter": rule.deadLetter = try entry.value.string(key)
                case "reply": rule.repliesToInvalid = try entry.value.boolean(key)
                default: return false
                }
                return true
            }
        }
    }
}

extension ConfigurationValue {
    /// There is no other way to look at JSON, so nothing else can be asked for.
    fileprivate func expectStrict(_ key: String) throws(ConfigurationComplaint) {
        let text = try string(key)
        guard text.lowercased() == "strict" else {
            throw complaint("\"\(key)\" takes strict, not \"\(text)\"")
        }
    }

    /// `off` without quotes is a boolean of the grammar.
    fileprivate func mode(_ key: String) throws(ConfigurationComplaint) -> RuleDefinition.Mode {
        if case .boolean(false) = content { return .off }
        return try choice(key)
    }
}
