/// The scalars of the grammar: quoted, bare and block strings, numbers, datetimes, addresses.
extension ConfigurationLexer {
    enum Scalar {
        case string(String)
        case boolean(Bool)
        case integer(digits: String, unit: String)
        case float(String)
        case datetime(String)
        /// `$NAME`, without the dollar sign.
        case variable(String)
    }

    /// Reads a scalar at the cursor, which stands on its first character.
    mutating func scalar() throws(BrokerError) -> Scalar {
        switch peek {
        case "'":
            next()
            return .string(try quoted(by: "'"))
        case "\"":
            next()
            return .string(try doubleQuoted())
        case "(":
            next()
            return .string(try block())
        case "-":
            return try negativeNumber()
        case ".":
            throw failure("Floats must start with a digit")
        case let first? where first.isDigit:
            return try number()
        case let first? where first.endsLine:
            throw failure("Expected value but found new line")
        default:
            return try bare(after: "")
        }
    }

    /// Whether the next value is a scalar without quotes.
    var isAtBareScalar: Bool { peek.map { !"'\"([{".unicodeScalars.contains($0) } ?? false }

    /// The rest of a text up to its closing quote, with no escapes.
    mutating func quoted(by quote: Unicode.Scalar) throws(BrokerError) -> String {
        let text = take { $0 != quote }
        guard take(quote) else { throw failure("Unexpected EOF: a \(quote) is missing") }
        return text
    }

    private mutating func doubleQuoted() throws(BrokerError) -> String {
        var bytes: [UInt8] = []
        while !take("\"") {
            guard let scalar = next() else { throw failure("Unexpected EOF: a \" is missing") }
            if scalar == "\\" {
                bytes.append(try escape())
            } else {
                bytes += Array(UTF8.encode(scalar)!)
            }
        }
        return try text(of: bytes)
    }

    /// A string without quotes. The first characters may have been read as a number.
    private mutating func bare(after start: String) throws(BrokerError) -> Scalar {
        var bytes = Array(start.utf8)
        var isLiteral = false
        while let scalar = peek, !scalar.endsBareValue {
            next()
            if scalar == "\\" {
                bytes.append(try escape())
                isLiteral = true
            } else if scalar == "'" {
                isLiteral = true
                break
            } else {
                bytes += Array(UTF8.encode(scalar)!)
            }
        }
        let text = try text(of: bytes)
        if isLiteral { return .string(text) }
        switch text.lowercased() {
        case "true", "yes", "on": return .boolean(true)
        case "false", "no", "off": return .boolean(false)
        default: return text.first == "$" ? .variable(String(text.dropFirst())) : .string(text)
        }
    }

    /// `(` … `)`, the latter alone on its line. The text keeps its line ends.
    private mutating func block() throws(BrokerError) -> String {
        var text = String.UnicodeScalarView()
        while true {
            guard peek != nil else { throw failure("Unexpected EOF processing block.") }
            let ends = peek(ahead: 1) == nil || peek(ahead: 1) == "\n"
            if text.last == "\n", ends, take(")") { return String(text) }
            text.append(next()!)
        }
    }

    /// One byte of an escape whose backslash was read.
    private mutating func escape() throws(BrokerError) -> UInt8 {
        switch peek {
        case "t":
            next()
            return UInt8(ascii: "\t")
        case "n":
            next()
            return UInt8(ascii: "\n")
        case "r":
            next()
            return UInt8(ascii: "\r")
        case "\"":
            next()
            return UInt8(ascii: "\"")
        case "\\":
            next()
            return UInt8(ascii: "\\")
        case "x":
            next()
            let digits = [next(), next()].compactMap { $0?.isASCII == true ? $0 : nil }
            let hex = String(String.UnicodeScalarView(digits))
            if digits.count == 2, !hex.hasPrefix("+"), !hex.hasPrefix("-"),
                let byte = UInt8(hex, radix: 16)
            {
                return byte
            }
            throw failure("Expected two hexadecimal digits after '\\x', but got '\(hex)'")
        default:
            throw failure(
                "Invalid escape character \(found). Only the following escape characters are "
                    + "allowed: \\xXX, \\t, \\n, \\r, \\\", \\\\.")
        }
    }

    private func text(of bytes: [UInt8]) throws(BrokerError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw failure("The escapes of this string do not make valid UTF-8")
        }
        return text
    }

    // MARK: Numbers

    private mutating func negativeNumber() throws(BrokerError) -> Scalar {
        next()
        if peek == "." { throw failure("Floats must start with a digit, not '.'.") }
        guard peek?.isDigit == true else { throw failure("Expected a digit but got \(found).") }
        let digits = "-" + take { $0.isDigit }
        if take(".") { return .float(digits + "." + (try fraction())) }
        return .integer(digits: digits, unit: sizeUnit())
    }

    /// An integer, float, datetime or address, or a string that only starts like one.
    private mutating func number() throws(BrokerError) -> Scalar {
        let digits = take { $0.isDigit }
        if peek == "-" {
            guard digits.utf8.count == 4 else {
                throw failure("All ISO8601 dates must be in full Zulu form.")
            }
            return .datetime(digits + (try dateAfterYear()))
        }
        if take(".") {
            let start = digits + "." + (try fraction())
            guard peek == "." else { return .float(start) }
            return .string(start + take { $0.isDigit || $0 == "." || $0 == ":" || $0 == "-" })
        }
        let unit = sizeUnit()
        guard let after = peek, !after.endsBareValue else {
            return .integer(digits: digits, unit: unit)
        }
        // What turns a number into a string is never a quote or an escape: 5'10 is a text.
        let start = unit.isEmpty ? digits + String(next()!) : digits + unit
        return try bare(after: start)
    }

    private mutating func sizeUnit() -> String {
        guard let unit = peek, unit.isSizeUnit else { return "" }
        next()
        return String(unit) + take { $0 == "b" || $0 == "B" || $0 == "i" || $0 == "I" }
    }

    private mutating func fraction() throws(BrokerError) -> String {
        guard peek?.isDigit == true else {
            throw failure("Floats must have a digit after the '.', but got \(found) instead.")
        }
        return take { $0.isDigit }
    }

    /// `-MM-DDTHH:MM:SSZ`
    private mutating func dateAfterYear() throws(BrokerError) -> String {
        var text = ""
        for expected in "-00-00T00:00:00Z".unicodeScalars {
            let fits = expected == "0" ? peek?.isDigit == true : peek == expected
            guard fits, let scalar = next() else {
                let wanted = expected == "0" ? "digit" : "'\(expected)'"
                throw failure(
                    "Expected \(wanted) in ISO8601 datetime, but found \(found) instead.")
            }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}
