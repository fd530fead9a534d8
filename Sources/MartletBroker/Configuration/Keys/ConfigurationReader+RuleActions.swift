import MartletRules

/// What a rule makes of a message: where it goes, its fields, the answer.
extension ConfigurationReader {
    private static let weights = 1...Int64(RuleSet.weightsMax)

    /// A template, or several with weights as those of `mappings`.
    mutating func destinations(
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
        var found = RuleDefinition.Destination(template: "")
        for entry in map.entries {
            readOnce(entry) { (_, key, entry) throws(ConfigurationComplaint) in
                switch key {
                case "destination", "dest": found.template = try entry.value.string(key)
                case "weight": found.weight = try Self.weight(entry.value)
                default: return false
                }
                return true
            }
        }
        return found
    }

    /// `50`, or `50%`.
    private static func weight(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> Int {
        if case .string(let text) = value.content, text.hasSuffix("%"),
            let weight = Int(text.dropLast()), weights.contains(Int64(weight))
        {
            return weight
        }
        guard case .integer(let weight) = value.content, weights.contains(weight) else {
            throw value.complaint("\"weight\" takes a number from 1 to \(weights.upperBound)")
        }
        return Int(weight)
    }

    // MARK: Fields

    /// Names, which keep the case of their letters, with a template or a pointer each.
    mutating func fields(
        _ key: String, _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> [RuleDefinition.Field] {
        var found: [RuleDefinition.Field] = []
        for entry in try value.map(key).entries {
            readOnce(entry) { (_, _, entry) throws(ConfigurationComplaint) in
                let text = try entry.value.string(entry.key)
                found.append(RuleDefinition.Field(name: entry.key, value: text))
                return true
            }
        }
        return found
    }

    /// `{ pick: { name: pointer } }`.
    mutating func reply(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> [RuleDefinition.Field] {
        var found: [RuleDefinition.Field] = []
        let map = try value.map("reply")
        guard map.has("pick") else { throw value.complaint("\"reply\" has no pick") }
        for entry in map.entries {
            readOnce(entry) { (reader, key, entry) throws(ConfigurationComplaint) in
                guard key == "pick" else { return false }
                found = try reader.fields(key, entry.value)
                return true
            }
        }
        return found
    }
}
