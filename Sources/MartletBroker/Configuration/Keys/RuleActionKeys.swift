import MartletRules

/// What a rule makes of a message: where it goes, its fields, the answer.
extension ConfigurationTable {
    static let ruleActions: [Key<RuleDefinition>] = [
        Key(
            "set_headers", takes: "a map of names and templates", default: "none",
            "Headers that the message gets."
        ) { (entry, root, reader) throws(ConfigurationComplaint) in
            root.headers = try reader.fields(entry)
        },
        Key(
            "to", takes: "a subject's template, or a list of { destination, weight }",
            default: "where it is", "The subject that the message goes to instead."
        ) { (entry, root, reader) throws(ConfigurationComplaint) in
            root.destinations = try reader.destinations(entry.value)
        },
        Key(
            "payload", takes: "a JSON Pointer", default: "all of it",
            "The only part of the payload that goes on."
        ) { (entry, root, _) throws(ConfigurationComplaint) in
            root.payload = try entry.value.string(entry.name)
        },
        Key(
            "reply", takes: "{ pick: { name: pointer } }", default: "none",
            "Answers with picked values; the message ends here."
        ) { (entry, root, reader) throws(ConfigurationComplaint) in
            root.reply = try reader.reply(entry)
        },
        Key(
            "on_invalid", takes: "an action, or a block", default: "reject",
            "What becomes of a message that is not valid."
        ) { (entry, root, reader) throws(ConfigurationComplaint) in
            guard case .map(let map) = entry.value.content else {
                root.invalidAction = try entry.value.choice(entry.name)
                return
            }
            reader.read(map, invalid, into: &root)
        },
    ]

    static let destination = ConfigurationBlock<RuleDefinition.Destination>(
        "rules.<name>.to", "One of several destinations, chosen by their weights.",
        refusesRepetition: true,
        [
            Key(
                "destination", "dest", sets: \.template, takes: .anyText, default: "needed",
                reload: .partOfOthers, "A subject's template."),
            Key(
                "weight", sets: \.weight, takes: .weight, default: "needed", reload: .partOfOthers,
                "How often it is chosen."),
        ])
}

extension RuleDefinition.Destination: ConfigurationRoot {
    static let defaults = RuleDefinition.Destination(template: "")
}

extension ConfigurationForm<Int> {
    /// `50`, or `50%`.
    fileprivate static var weight: ConfigurationForm {
        ConfigurationForm("a number from 1 to 1,000,000, with % or without", shown: { "\($0)" }) {
            (entry, _) throws(ConfigurationComplaint) in
            let weights = 1...Int64(RuleSet.weightsMax)
            if case .string(let text) = entry.value.content, text.hasSuffix("%"),
                let weight = Int(text.dropLast()), weights.contains(Int64(weight))
            {
                return weight
            }
            guard case .integer(let weight) = entry.value.content, weights.contains(weight) else {
                throw entry.value.complaint(
                    "\"weight\" takes a number from 1 to \(weights.upperBound)")
            }
            return Int(weight)
        }
    }
}

extension ConfigurationReader {
    /// A template, or several with weights as those of `mappings`.
    fileprivate mutating func destinations(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> [RuleDefinition.Destination] {
        switch value.content {
        case .string(let template):
            return [RuleDefinition.Destination(template: template)]
        case .array(let values):
            guard !values.isEmpty else { throw value.complaint("\"to\" has no destination") }
            var found: [RuleDefinition.Destination] = []
            for value in values { found.append(try destination(value)) }
            return found
        default:
            throw value.mismatch("to", takes: "a subject or a list of { destination, weight }")
        }
    }

    private mutating func destination(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> RuleDefinition.Destination {
        guard case .map(let map) = value.content else {
            throw value.mismatch("to", takes: "in its list only { destination, weight }")
        }
        guard map.has("destination", "dest") else {
            throw value.complaint("an entry of \"to\" has no destination")
        }
        guard map.has("weight") else { throw value.complaint("a destination has no weight") }
        var found = RuleDefinition.Destination.defaults
        read(map, ConfigurationTable.destination, into: &found)
        return found
    }

    /// Names, which keep the case of their letters, with a template or a pointer each.
    fileprivate mutating func fields(
        _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> [RuleDefinition.Field] {
        var found: [RuleDefinition.Field] = []
        for entry in try entry.value.map(entry.name).entries {
            do throws(ConfigurationComplaint) {
                if entry.isRepeated { throw entry.repetition }
                let text = try entry.value.string(entry.key)
                found.append(RuleDefinition.Field(name: entry.key, value: text))
            } catch {
                record(error)
            }
        }
        return found
    }

    /// `{ pick: { name: pointer } }`.
    fileprivate mutating func reply(
        _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> [RuleDefinition.Field] {
        let map = try entry.value.map(entry.name)
        guard map.has("pick") else { throw entry.value.complaint("\"reply\" has no pick") }
        var pick = ConfiguredPick.defaults
        read(map, ConfigurationTable.reply, into: &pick)
        return pick.fields
    }
}

struct ConfiguredPick: ConfigurationRoot {
    static let defaults = ConfiguredPick()

    var fields: [RuleDefinition.Field] = []
}

extension ConfigurationTable {
    static let reply = ConfigurationBlock<ConfiguredPick>(
        "rules.<name>.reply", "The answer that a rule gives.", refusesRepetition: true,
        [
            Key("pick", takes: "a map of names and JSON Pointers", "What it says.") {
                (entry, root, reader) throws(ConfigurationComplaint) in
                root.fields = try reader.fields(entry)
            }
        ])
}
