/// A rule's `when`, as the JSON that it is compiled from.
extension ConfigurationValue {
    /// The map, or JSON in a string, for what the grammar has no form of.
    func condition(_ key: String) throws(ConfigurationComplaint) -> [UInt8] {
        if case .string(let text) = content { return Array(text.utf8) }
        guard case .map = content else { throw mismatch(key, takes: "a map") }
        var json: [UInt8] = []
        try append(to: &json)
        return json
    }

    private func append(to json: inout [UInt8]) throws(ConfigurationComplaint) {
        if let text = try bareJSON() {
            json += Array(text.utf8)
            return
        }
        switch content {
        case .string(let text), .datetime(let text): ConfigurationDigest.append(text, to: &json)
        case .integer(let number): json += Array("\(number)".utf8)
        case .float(let number): json += Array(ConfigurationDigest.text(of: number).utf8)
        case .boolean(let flag): json += Array("\(flag)".utf8)
        case .array(let values):
            json.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                try value.append(to: &json)
            }
            json.append(UInt8(ascii: "]"))
        case .map(let map):
            json.append(UInt8(ascii: "{"))
            for (index, entry) in map.entries.enumerated() {
                if entry.isRepeated { throw entry.repetition }
                if index > 0 { json.append(UInt8(ascii: ",")) }
                ConfigurationDigest.append(entry.key, to: &json)
                json.append(UInt8(ascii: ":"))
                try entry.value.append(to: &json)
            }
            json.append(UInt8(ascii: "}"))
        }
    }

    /// A scalar without quotes by JSON's rules, if it is one: `1e3` is a number. What is not the same to
    /// the grammar and to JSON is an error: `NO` is false here, and would be a text there.
    private func bareJSON() throws(ConfigurationComplaint) -> String? {
        guard let text = bareText, !text.hasPrefix("$") else { return nil }
        if ["true", "false", "null"].contains(text) || Self.isNumber(text) { return text }
        switch content {
        case .string where text.lowercased() != "null": return nil
        case .datetime: return nil
        default:
            throw complaint(
                "\(text) is no value of JSON: write \"\(text)\", or "
                    + "a number, true, false or null as JSON has them")
        }
    }

    private static func isNumber(_ text: String) -> Bool {
        text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
    }
}
