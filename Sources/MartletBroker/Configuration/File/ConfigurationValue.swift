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

    let content: Content
    let position: ConfigurationPosition
    /// A scalar without quotes as it is written: what it is differs for those who want JSON.
    let bareText: String?
    /// How much it is and how deep, what variables in it stand for included.
    let extent: ConfigurationExtent

    init(content: Content, position: ConfigurationPosition, bareText: String? = nil) {
        self.content = content
        self.position = position
        self.bareText = bareText
        switch content {
        case .string(let text), .datetime(let text):
            extent = ConfigurationExtent(bytes: 16 + text.utf8.count)
        case .integer, .float, .boolean: extent = ConfigurationExtent(bytes: 16)
        case .array(let values):
            extent = values.reduce(into: ConfigurationExtent(bytes: 16, depth: 1)) {
                $0.take($1.extent)
            }
        case .map(let map): extent = map.extent
        }
    }

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

/// The size of a value. A variable costs a few letters however much it stands for, so values that refer
/// to each other could grow without end.
struct ConfigurationExtent: Sendable {
    /// Memory that a copy of it would take, about.
    var bytes = 16
    /// Maps and arrays within each other.
    var depth = 0

    /// What holds `inner` is that much larger, and deeper than it.
    mutating func take(_ inner: ConfigurationExtent, keyBytes: Int = 0) {
        bytes = bytes.addingReportingOverflow(inner.bytes + keyBytes).partialValue
        depth = max(depth, inner.depth + 1)
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
    private(set) var extent = ConfigurationExtent(depth: 1)

    subscript(key: String) -> ConfigurationValue? {
        indices[key].map { entries[$0].value }
    }

    mutating func set(_ key: String, to value: ConfigurationValue) {
        var entry = Entry(key: key, value: value)
        extent.take(value.extent, keyBytes: key.utf8.count)
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
