/// Turns arguments written by the rules of Go's `flag` package, which nats-server follows, into
/// ones that swift-argument-parser reads: every flag becomes `--canonical-name=value`.
///
/// One or two dashes mean the same for every flag, `-p 1` equals `-p=1`, a switch takes a value
/// only after `=`, and the first word that is no flag ends the flags.
struct GoFlags {
    /// What is wrong with an argument, in the words that nats-server's users know.
    struct Failure: Error, Equatable, CustomStringConvertible {
        let description: String
        /// Whether the usage follows the message.
        var showsUsage = true
    }

    /// `--name=value` for each flag, in the order given, so that the last one wins.
    private(set) var canonical: [String] = []
    /// What comes after the flags.
    private(set) var words: [String] = []
    /// A flag of a feature that this version does not have.
    private(set) var unsupported: String?

    init(_ arguments: [String]) throws(Failure) {
        var rest = arguments[...]
        while let argument = rest.first {
            guard argument.hasPrefix("-"), argument != "-" else { break }
            rest.removeFirst()
            if argument == "--" { break }
            try read(argument, rest: &rest)
        }
        words = Array(rest)
    }

    private mutating func read(
        _ argument: String, rest: inout ArraySlice<String>
    ) throws(Failure) {
        let text = argument.dropFirst(argument.hasPrefix("--") ? 2 : 1)
        guard let first = text.first, first != "-", first != "=" else {
            throw Failure(description: "bad flag syntax: \(argument)")
        }
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let flag = ServeFlag.named(name) else {
            throw Failure(description: "flag provided but not defined: -\(name)")
        }
        var value = parts.count == 2 ? String(parts[1]) : nil
        if value == nil, flag.kind == .toggle { value = "true" }
        if value == nil { value = rest.popFirst() }
        guard let value else {
            throw Failure(description: "flag needs an argument: -\(name)")
        }
        try append(flag, written: name, value: value)
    }

    private mutating func append(
        _ flag: ServeFlag, written name: String, value: String
    ) throws(Failure) {
        switch flag.kind {
        case .toggle:
            guard let isOn = Self.boolean(value) else {
                throw Failure(
                    description: "invalid boolean value \"\(value)\" for -\(name): parse error")
            }
            canonical += flag.targets.map { "--\($0)=\(isOn)" }
        case .number:
            guard let number = Self.integer(value) else {
                throw Failure(
                    description: "invalid value \"\(value)\" for flag -\(name): parse error")
            }
            canonical += flag.targets.map { "--\($0)=\(number)" }
        case .text:
            canonical += flag.targets.map { "--\($0)=\(value)" }
        }
        if flag.isUnsupported, !(flag.kind == .toggle && Self.boolean(value) == false) {
            unsupported = unsupported ?? name
        }
    }

    /// The spellings that Go reads as a boolean.
    static func boolean(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    /// Decimal, or with Go's prefixes for other bases; underscores may stand between digits.
    static func integer(_ text: String) -> Int? {
        let isNegative = text.hasPrefix("-")
        let unsigned = isNegative || text.hasPrefix("+") ? String(text.dropFirst()) : text
        guard let first = unsigned.first, first.isASCII, first.isNumber else { return nil }
        let bases = ["0x": 16, "0b": 2, "0o": 8]
        let base = bases[unsigned.prefix(2).lowercased()]
        let octal = base == nil && unsigned.count > 1 && unsigned.hasPrefix("0")
        var digits = unsigned.dropFirst(base == nil ? 0 : 2)
        digits.removeAll { $0 == "_" }
        let sign = isNegative ? "-" : ""
        return Int(sign + digits, radix: base ?? (octal ? 8 : 10))
    }
}
