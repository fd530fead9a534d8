import MartletRules

/// `rules { … }`: content rules. Keys with a map are rules, but for `schemas`; all else is for all
/// of them.
extension ConfigurationTable {
    static let ruleSet: [Key<BrokerConfiguration>] = [
        Key(
            "rules", takes: "a block", default: "none", reload: .takenAs("rules"),
            "Rules by which messages are checked, routed and answered; docs/RULES.md explains them.",
            change: { old, new in
                guard old.rules != new.rules else { return nil }
                return .init(
                    old: "\(old.rules?.definition.rules.count ?? 0)",
                    new: "\(new.rules?.definition.rules.count ?? 0)")
            },
            read: { (entry, root, reader) throws(ConfigurationComplaint) in
                // In another case of its letters it is another key to the grammar.
                guard !reader.hasReadRules, !entry.isRepeated else { throw entry.repetition }
                reader.hasReadRules = true
                root.rules = try reader.rules(entry)
            })
    ]

    static let rules = ConfigurationBlock<RulesConfiguration>(
        "rules", "What is for all rules. Each other key with a block is a rule by that name.",
        refusesRepetition: true,
        readOther: { (entry, root, reader) throws(ConfigurationComplaint) in
            try reader.readRule(entry, into: &root.definition)
        },
        [
            Key(
                "workers", sets: \.workerCount, takes: .numberOrAuto(0...256),
                reload: .partOfOthers,
                "Threads beside the loops; 0 leaves all to the loops. It needs a restart."),
            Key(
                "max_queue", sets: \.queueJobsMax, takes: .number(1...65_536),
                reload: .partOfOthers,
                "Messages of a loop that may wait for a worker. It needs a restart."),
            Key(
                "order", sets: \.order, takes: .choice, reload: .partOfOthers,
                "Whether messages of a publisher stay in order."),
            Key(
                "inline_below", sets: \.inlineBytesMax, takes: .bytes(0...(1 << 30)),
                reload: .partOfOthers,
                "A payload with fewer bytes is looked at on the loop, without a worker."),
            Key(
                "oversize", sets: \.definition.oversize, takes: .choice, reload: .partOfOthers,
                "What becomes of a payload over `max_payload`."),
            Key(
                "strict_schema", sets: \.definition.refusesUnknownKeywords, takes: .toggle,
                reload: .partOfOthers,
                "Whether a keyword that JSON Schema does not have is an error."),
            Key(
                "assert_format", sets: \.definition.assertsFormat, takes: .toggle,
                reload: .partOfOthers, "Whether `format` is checked."),
            Key(
                "schemas", takes: "a map of names and paths", default: "none",
                "JSON Schemas; a path is relative to the file that names it."
            ) { (entry, root, reader) throws(ConfigurationComplaint) in
                try reader.readSchemas(entry.value, into: &root.definition)
            },
        ], ruleLimits)

    private static let ruleLimits: [Key<RulesConfiguration>] = [
        Key(
            "max_depth", sets: \.definition.limits.depthMax, takes: .number(1...1_024),
            reload: .partOfOthers, "How deep maps and arrays of a payload may be nested."),
        Key(
            "max_payload", sets: \.definition.limits.payloadBytesMax, takes: .bytes(1...(1 << 30)),
            reload: .partOfOthers, "Bytes of a payload that rules look at."),
        Key(
            "max_fields", sets: \.definition.limits.fieldsMax, takes: .number(1...(1 << 22)),
            reload: .partOfOthers, "Members of all objects of a payload."),
        Key(
            "max_key", sets: \.definition.limits.keyBytesMax, takes: .bytes(16...65_536),
            reload: .partOfOthers, "Bytes of a member's name."),
        Key(
            "max_digits", sets: \.definition.limits.numberDigitsMax, takes: .number(1...1_000),
            reload: .partOfOthers, "Digits of a number."),
    ]
}

extension RulesConfiguration: ConfigurationRoot {
    static let defaults = RulesConfiguration()
}

private enum Oversize: String, CaseIterable {
    case reject, pass
}

extension RuleSetDefinition {
    fileprivate var oversize: Oversize {
        get { passesOversize ? .pass : .reject }
        set { passesOversize = newValue == .pass }
    }
}

extension ConfigurationReader {
    fileprivate mutating func rules(
        _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> RulesConfiguration {
        let errorCount = errors.count
        var rules = RulesConfiguration.defaults
        read(try entry.value.map(entry.name), ConfigurationTable.rules, into: &rules)
        compilesRules = errors.count == errorCount
        return rules
    }

    /// For what only a compiler finds; in the end, for what other keys mean for rules.
    mutating func compileRules(of configuration: inout BrokerConfiguration) {
        guard compilesRules, var rules = configuration.rules else { return }
        rules.setSupportsHeaders(!configuration.disablesHeaders)
        do throws(RuleSetFailure) {
            add(errors: [], warnings: try rules.compile().warnings)
            configuration.rules = rules
        } catch {
            add(errors: error.errors, warnings: [])
        }
    }

    // MARK: Schemas

    private static let schemaBytesMax = 256 << 10

    fileprivate mutating func readSchemas(
        _ value: ConfigurationValue, into definition: inout RuleSetDefinition
    ) throws(ConfigurationComplaint) {
        for entry in try value.map("schemas").entries {
            do throws(ConfigurationComplaint) {
                if entry.isRepeated { throw entry.repetition }
                definition.schemas.append(try Self.schema(entry))
            } catch {
                record(error)
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
