/// What peers have written, as it may stand in a log: bytes that a terminal would obey, that would begin
/// another line, or that are no UTF-8 stand as escapes, as by Go's `%q`.
enum QuotedText {
    /// In quotes, with quotes and backslashes escaped.
    static func quoted(_ text: String) -> String { quoted(Array(text.utf8)) }
    static func quoted(_ bytes: [UInt8]) -> String { "\"\(escaped(bytes, quotes: true))\"" }

    /// Without quotes around it: quotes and backslashes stay as they are.
    static func escaped(_ text: String) -> String {
        escaped(Array(text.utf8), quotes: false)
    }

    static func escaped(_ bytes: [UInt8], quotes: Bool) -> String {
        var shown = ""
        var i = 0
        while i < bytes.count {
            let length = length(of: bytes[i])
            let end = min(i + length, bytes.count)
            guard
                let scalar = String(validating: bytes[i..<end], as: UTF8.self)?
                    .unicodeScalars.first
            else {
                shown += hexadecimal(bytes[i])
                i += 1
                continue
            }
            shown += escaped(scalar, quotes: quotes)
            i = end
        }
        return shown
    }

    private static func length(of lead: UInt8) -> Int {
        switch lead {
        case 0xC0..<0xE0: 2
        case 0xE0..<0xF0: 3
        case 0xF0...: 4
        default: 1
        }
    }

    private static func escaped(_ scalar: Unicode.Scalar, quotes: Bool) -> String {
        switch scalar {
        case "\"", "\\": return quotes ? "\\\(scalar)" : "\(scalar)"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default: break
        }
        if scalar.value < 0x20 || scalar.value == 0x7F {
            return hexadecimal(UInt8(scalar.value))
        }
        if isPrintable(scalar) { return "\(scalar)" }
        let digits = String(scalar.value, radix: 16)
        let width = scalar.value > 0xFFFF ? 8 : 4
        let zeros = String(repeating: "0", count: max(0, width - digits.count))
        return "\\\(width == 8 ? "U" : "u")\(zeros)\(digits)"
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    /// Letters, marks, numbers, punctuation, symbols, and of spaces the plain one.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator:
            false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }
}
