/// Where something stands in a configuration file.
///
/// Columns count bytes as nats-server does: from 0 on a file's first line, from 1 on all others. What is
/// in no file, a flag, has line 0.
struct ConfigurationPosition: Equatable, Sendable, CustomStringConvertible {
    var file: String
    var line: Int
    var column: Int

    var description: String { line == 0 ? file : "\(file):\(line):\(column)" }
}

/// A parsed value and where its key (in an array: itself) stands.
struct ConfigurationValue: Sendable {
    enum Content: Sendable {
        case string(String)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        /// A checked `YYYY-MM-DDTHH:MM:SSZ`.
        case datetime(String)
        case array([ConfigurationValue])
        case map(ConfigurationMap)
    }

    var content: Content
    var position: ConfigurationPosition
    /// Written as `null` without quotes: a string to all but those who want JSON.
    var isNull = false

    /// What a user calls such a value, for errors.
    var kind: String {
        switch content {
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a float"
        case .boolean: "a boolean"
        case .datetime: "a datetime"
        case .array: "an array"
        case .map: "a map"
        }
    }
}

/// Keys and values in the order of the file. Setting a key again replaces its value.
struct ConfigurationMap: Sendable {
    struct Entry: Sendable {
        let key: String
        var value: ConfigurationValue
        /// A variable referred to it, so it may be a key that nobody else knows.
        var isVariable = false
        /// It replaced another one with the same key.
        var isRepeated = false

        /// The key as tables have it: in lower case.
        var name: String { key.lowercased() }
    }

    private(set) var entries: [Entry] = []
    private var indices: [String: Int] = [:]

    subscript(key: String) -> ConfigurationValue? {
        indices[key].map { entries[$0].value }
    }

    mutating func set(_ key: String, to value: ConfigurationValue) {
        var entry = Entry(key: key, value: value)
        if let index = indices[key] {
            entry.isRepeated = true
            entries[index] = entry
        } else {
            indices[key] = entries.count
            entries.append(entry)
        }
    }

    /// The value of a key that a variable names.
    mutating func useAsVariable(_ key: String) -> ConfigurationValue? {
        guard let index = indices[key] else { return nil }
        entries[index].isVariable = true
        return entries[index].value
    }

    /// Whether there is a key by one of these names, in any case of its letters.
    func has(_ names: String...) -> Bool { entries.contains { names.contains($0.name) } }

    /// All of it, what has this name in front.
    func entries(first name: String) -> [Entry] {
        entries.filter { $0.name == name } + entries.filter { $0.name != name }
    }

    /// Takes all of an included file, with what it knows of its own variables.
    mutating func merge(_ other: ConfigurationMap) {
        for entry in other.entries {
            set(entry.key, to: entry.value)
            guard let index = indices[entry.key] else { continue }
            if entry.isVariable { entries[index].isVariable = true }
            if entry.isRepeated { entries[index].isRepeated = true }
        }
    }
}
