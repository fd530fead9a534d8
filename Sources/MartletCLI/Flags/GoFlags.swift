import MartletBroker

/// Reads arguments by the rules of Go's `flag` package, which nats-server follows.
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

    /// Each flag as it was written, without dashes, in the order given.
    private(set) var given: [(name: String, flag: ServeFlag, value: ConfigurationFlags.Value)] = []
    /// What comes after the flags.
    private(set) var words: [String] = []

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
        given.append((name, flag, try Self.value(value, of: flag.kind, name)))
    }

    private static func value(
        _ text: String, of kind: ConfigurationFlagKind, _ name: String
    ) throws(Failure) -> ConfigurationFlags.Value {
        switch kind {
        case .toggle:
            guard let isOn = boolean(text) else {
                throw Failure(
                    description: "invalid boolean value \"\(text)\" for -\(name): parse error")
            }
            return .toggle(isOn)
        case .number:
            guard let number = integer(text) else {
                throw Failure(
                    description: "invalid value \"\(text)\" for flag -\(name): parse error")
            }
            return .number(number)
        case .numberOrWord: return integer(text).map { .number($0) } ?? .text(text)
        case .text: return .text(text)
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
