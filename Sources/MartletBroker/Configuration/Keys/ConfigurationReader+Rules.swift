import MartletRules

/// `rules { … }`: content rules. Keys with a map are rules, but for `schemas`; all else is for all
/// of them.
extension ConfigurationReader {
    private static let workersMax: Int64 = 256
    private static let queueMax: Int64 = 65_536
    private static let inlineMax: Int64 = 1 << 30

    mutating func readRules(
        _ key: String, _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> Bool {
        guard key == "rules" else { return false }
        // In another case of its letters it is another key to the grammar.
        guard !hasReadRules, !entry.isRepeated else { throw entry.repetition }
        hasReadRules = true
        let errorCount = errors.count
        var rules = RulesConfiguration()
        for entry in try entry.value.map(key).entries {
            readOnce(entry) { (reader, key, entry) throws(ConfigurationComplaint) in
                try reader.readRulesEntry(key, entry, into: &rules)
            }
        }
        // What is only half read would be called wrong for what it lacks.
        compilesRules = errors.count == errorCount
        configuration.rules = rules
        return true
    }

    /// Like `read`, for maps in which a key that is there twice would lose a rule, or a part of
    /// one, without a word.
    mutating func readOnce(
        _ entry: ConfigurationMap.Entry,
        _ body: (
            inout ConfigurationReader, _ key: String, ConfigurationMap.Entry
        ) throws(ConfigurationComplaint) -> Bool
    ) {
        read(entry) { (reader, key, entry) throws(ConfigurationComplaint) in
            if entry.isRepeated { throw entry.repetition }
            return try body(&reader, key, entry)
        }
    }

    /// Compiles the rules, for what only a compiler finds; in the end, for what other keys mean for them.
    mutating func checkRules() {
        configuration.rules?.definition.supportsHeaders = !configuration.disablesHeaders
        guard compilesRules, let rules = configuration.rules else { return }
        do throws(RuleSetFailure) {
            add(errors: [], warnings: try RuleSet(rules.definition).warnings)
        } catch {
            add(errors: error.errors, warnings: [])
        }
    }

    private mutating func readRulesEntry(
        _ key: String, _ entry: ConfigurationMap.Entry, into rules: inout RulesConfiguration
    ) throws(ConfigurationComplaint) -> Bool {
        let value = entry.value
        switch key {
        case "workers": rules.workerCount = try value.count(key, 0...Self.workersMax)
        case "max_queue": rules.queueJobsMax = try value.integer(key, 1...Self.queueMax)
        case "order": rules.order = try value.choice(key)
        case "inline_below": rules.inlineBytesMax = try value.integer(key, 0...Self.inlineMax)
        case "oversize": rules.definition.passesOversize = try value.passesOversize(key)
        case "strict_schema": rules.definition.refusesUnknownKeywords = try value.boolean(key)
        case "assert_format": rules.definition.assertsFormat = try value.boolean(key)
        case "schemas": try readSchemas(value, into: &rules.definition)
        default:
            if try readRuleLimit(key, value, into: &rules.definition.limits) { return true }
            return try readRule(entry, into: &rules.definition)
        }
        return true
    }

    private func readRuleLimit(
        _ key: String, _ value: ConfigurationValue, into limits: inout JSONLimits
    ) throws(ConfigurationComplaint) -> Bool {
        switch key {
        case "max_depth": limits.depthMax = try value.integer(key, 1...1_024)
        case "max_payload": limits.payloadBytesMax = try value.integer(key, 1...(1 << 30))
        case "max_fields": limits.fieldsMax = try value.integer(key, 1...(1 << 22))
        case "max_key": limits.keyBytesMax = try value.integer(key, 16...65_536)
        case "max_digits": limits.numberDigitsMax = try value.integer(key, 1...1_000)
        default: return false
        }
        return true
    }

    // MARK: Schemas

    private static let schemaBytesMax = 256 << 10

    private mutating func readSchemas(
        _ value: ConfigurationValue, into definition: inout RuleSetDefinition
    ) throws(ConfigurationComplaint) {
        for entry in try value.map("schemas").entries {
            readOnce(entry) { (_, _, entry) throws(ConfigurationComplaint) in
                definition.schemas.append(try Self.schema(entry))
                return true
            }
        }
    }

    /// Unlike an include's, a path with a slash in front is taken as it is.
    private static func schema(
        _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> RuleSetDefinition.Schema {
        let name = try entry.value.string(entry.key)
        let path =
            name.hasPrefix("/")
            ? name : ConfigurationSource.path(of: name, besides: entry.value.position.file)
        do throws(BrokerError) {
            let text = try ConfigurationSource.bytes(
                ofFile: path, atMost: schemaBytesMax, "a schema")
            return RuleSetDefinition.Schema(name: entry.key, path: path, text: text)
        } catch {
            throw entry.value.complaint("schema \"\(entry.key)\": \(error.message)")
        }
    }
}

extension ConfigurationMap {
    /// Whether there is a key by one of these names.
    func has(_ aliases: String...) -> Bool {
        entries.contains { aliases.contains($0.key.lowercased()) }
    }
}

extension ConfigurationMap.Entry {
    var repetition: ConfigurationComplaint {
        value.complaint("\"\(key)\" is given more than once")
    }
}

extension ConfigurationValue {
    fileprivate func passesOversize(_ key: String) throws(ConfigurationComplaint) -> Bool {
        enum Oversize: String, CaseIterable {
            case reject, pass
        }
        let choice: Oversize = try choice(key)
        return choice == .pass
    }
}
