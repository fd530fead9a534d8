/// How a key's value is written: what a file may say, and how logs and documents show it.
struct ConfigurationForm<Value: Equatable & Sendable>: Sendable {
    typealias Reading =
        @Sendable (ConfigurationMap.Entry, inout ConfigurationReader)
        throws(ConfigurationComplaint) -> Value?

    /// For documents: "a number from 1 to 1024, or auto".
    let words: String
    let flagKind: ConfigurationFlagKind
    /// The value; nil where the file asks for the default.
    let read: Reading
    /// As logs show it.
    let shown: @Sendable (Value) -> String
    /// As a file would have it.
    let written: @Sendable (Value) -> String

    init(
        _ words: String, flagKind: ConfigurationFlagKind = .text,
        shown: @escaping @Sendable (Value) -> String,
        written: (@Sendable (Value) -> String)? = nil, read: @escaping Reading
    ) {
        self.words = words
        self.flagKind = flagKind
        self.shown = shown
        self.written = written ?? shown
        self.read = read
    }
}

extension ConfigurationForm<Bool> {
    static var toggle: ConfigurationForm {
        ConfigurationForm(
            "true or false", flagKind: .toggle, shown: { "\($0)" }
        ) { (entry, _) throws(ConfigurationComplaint) in try entry.value.boolean(entry.name) }
    }
}

extension ConfigurationForm<String?> {
    /// An empty one is none.
    static var text: ConfigurationForm {
        ConfigurationForm("a string", shown: { $0 ?? "" }) {
            (entry, _) throws(ConfigurationComplaint) in try entry.value.optionalString(entry.name)
        }
    }
}

extension ConfigurationForm<String> {
    /// An empty one is the default.
    static var requiredText: ConfigurationForm {
        ConfigurationForm("a string", shown: { $0 }) {
            (entry, _) throws(ConfigurationComplaint) in try entry.value.optionalString(entry.name)
        }
    }

    /// Taken as it is.
    static var anyText: ConfigurationForm {
        ConfigurationForm("a string", shown: { $0 }) {
            (entry, _) throws(ConfigurationComplaint) in try entry.value.string(entry.name)
        }
    }
}

extension ConfigurationForm<Int> {
    static func number(_ range: ClosedRange<Int64>, _ words: String? = nil) -> ConfigurationForm {
        ConfigurationForm(
            words ?? "a number from \(range.lowerBound) to \(range.upperBound)", flagKind: .number,
            shown: { "\($0)" }
        ) { (entry, _) throws(ConfigurationComplaint) in
            try entry.value.integer(entry.name, range)
        }
    }

    /// One below zero counts as zero.
    static func numberOrZero(_ words: String) -> ConfigurationForm {
        ConfigurationForm(words, flagKind: .number, shown: { "\($0)" }) {
            (entry, _) throws(ConfigurationComplaint) in try entry.value.integerOrZero(entry.name)
        }
    }

    static func bytes(_ range: ClosedRange<Int64>, _ words: String? = nil) -> ConfigurationForm {
        ConfigurationForm(
            words ?? "a size from \(size(range.lowerBound)) to \(size(range.upperBound))",
            flagKind: .number, shown: { "\($0)" }, written: { size(Int64($0)) }
        ) { (entry, _) throws(ConfigurationComplaint) in
            try entry.value.integer(entry.name, range)
        }
    }

    /// A limit that cannot be switched off: 0 is nats-server's word for its default.
    ///
    /// Below 0 some of nats-server's limits are off and some refuse everything. Here nothing grows
    /// without a limit, so that is an error.
    static func limit(
        _ noun: String, upTo max: Int64 = .max, inBytes: Bool = false
    ) -> ConfigurationForm {
        let bound = max == .max ? "" : " up to \(inBytes ? size(max) : "\(max)")"
        return ConfigurationForm(
            "\(noun)\(bound); 0 is the default", flagKind: .number, shown: { "\($0)" },
            written: { inBytes ? size(Int64($0)) : "\($0)" }
        ) { (entry, _) throws(ConfigurationComplaint) in
            let number = try entry.value.integer(entry.name, 0...max)
            return number == 0 ? nil : number
        }
    }

    /// 0 is the default, except where it means none.
    static func port(zero: String) -> ConfigurationForm {
        let isDefault = zero == "the default"
        return ConfigurationForm(
            "a port; -1 is any free one, 0 is \(zero)", flagKind: .number, shown: { "\($0)" }
        ) { (entry, _) throws(ConfigurationComplaint) in
            let port = try entry.value.port(entry.name)
            return port == 0 && isDefault ? nil : port
        }
    }

    /// In the grammar's own units, for documents.
    private static func size(_ bytes: Int64) -> String {
        for (unit, power) in [("GB", 30), ("MB", 20), ("KB", 10)] as [(String, Int64)]
        where bytes >= 1 << power && bytes % (1 << power) == 0 {
            return "\(bytes >> power)\(unit)"
        }
        return "\(bytes)"
    }
}

extension ConfigurationForm<Int?> {
    /// A number, or `auto`, which leaves it to the broker.
    static func numberOrAuto(_ range: ClosedRange<Int64>) -> ConfigurationForm {
        ConfigurationForm(
            "a number from \(range.lowerBound) to \(range.upperBound), or auto",
            flagKind: .numberOrWord, shown: { $0.map { "\($0)" } ?? "auto" }
        ) { (entry, _) throws(ConfigurationComplaint) in
            try entry.value.count(entry.name, range)
        }
    }

    /// A size, or none.
    static func optionalBytes(_ range: ClosedRange<Int64>) -> ConfigurationForm {
        ConfigurationForm(
            "a size of \(range.lowerBound) or more", flagKind: .number,
            shown: { $0.map { "\($0)" } ?? "" }
        ) { (entry, _) throws(ConfigurationComplaint) in
            try entry.value.integer(entry.name, range)
        }
    }
}

extension ConfigurationForm
where Value: RawRepresentable<String> & CaseIterable & Equatable & Sendable {
    /// One of several words, in any case of their letters.
    static var choice: ConfigurationForm {
        let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return ConfigurationForm("one of \(words)", shown: { $0.rawValue }) {
            (entry, _) throws(ConfigurationComplaint) -> Value? in
            try entry.value.choice(entry.name)
        }
    }
}
