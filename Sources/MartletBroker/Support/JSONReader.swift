/// A small JSON reader for control lines: one pass, depth bounded, numbers kept as text. It accepts
/// invalid UTF-8 in strings, as nats-server does, by replacing it.
///
/// SAFETY: reads `bytes` below `count` only, and lives no longer than who lent them.
@safe
struct JSONReader {
    indirect enum Value {
        case null
        case bool(Bool)
        case number(String)
        case string(String)
        case array([Value])
        case object([(String, Value)])
    }

    /// As in nats-server's decoder; a control line of the default length cannot even reach it.
    private static let depthMax = 10_000

    private let bytes: Bytes
    private let count: Int
    private var i = 0

    init(_ bytes: Bytes, _ count: Int) {
        unsafe self.bytes = unsafe bytes
        self.count = count
    }

    /// The one value that the bytes are; nil when they are anything else.
    mutating func document() -> Value? {
        guard let value = value(depth: 0) else { return nil }
        skipSpace()
        return i == count ? value : nil
    }

    private mutating func value(depth: Int) -> Value? {
        skipSpace()
        guard i < count, depth < Self.depthMax else { return nil }
        switch unsafe bytes[i] {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return array(depth)
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "t"): return literal("true", .bool(true))
        case UInt8(ascii: "f"): return literal("false", .bool(false))
        case UInt8(ascii: "n"): return literal("null", .null)
        default: return number()
        }
    }

    private mutating func object(_ depth: Int) -> Value? {
        var members: [(String, Value)] = []
        i += 1
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard i < count, unsafe bytes[i] == UInt8(ascii: "\""), let key = string() else {
                return nil
            }
            skipSpace()
            guard take(UInt8(ascii: ":")), let value = value(depth: depth + 1) else { return nil }
            members.append((key, value))
            skipSpace()
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}")) ? .object(members) : nil
    }

    private mutating func array(_ depth: Int) -> Value? {
        var items: [Value] = []
        i += 1
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(items) }
        repeat {
            guard let item = value(depth: depth + 1) else { return nil }
            items.append(item)
            skipSpace()
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]")) ? .array(items) : nil
    }

    private mutating func string() -> String? {
        i += 1
        var text: [UInt8] = []
        while i < count {
            let byte = unsafe bytes[i]
            i += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): guard escape(into: &text) else { return nil }
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(into text: inout [UInt8]) -> Bool {
        guard i < count else { return false }
        let byte = unsafe bytes[i]
        i += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): return unicodeEscape(into: &text)
        default: return false
        }
        return true
    }

    private mutating func unicodeEscape(into text: inout [UInt8]) -> Bool {
        guard let first = hexDigits() else { return false }
        var scalar = first
        if (0xD800..<0xDC00).contains(first), i + 1 < count, unsafe bytes[i] == UInt8(ascii: "\\"),
            unsafe bytes[i + 1] == UInt8(ascii: "u")
        {
            let before = i
            i += 2
            guard let second = hexDigits() else { return false }
            if (0xDC00..<0xE000).contains(second) {
                scalar = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
            } else {
                i = before
            }
        }
        text.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
        return true
    }

    private mutating func hexDigits() -> UInt32? {
        guard i + 4 <= count else { return nil }
        defer { i += 4 }
        var value: UInt32 = 0
        for j in i..<(i + 4) {
            guard let digit = unsafe Character(Unicode.Scalar(bytes[j])).hexDigitValue else {
                return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private mutating func number() -> Value? {
        let start = i
        _ = take(UInt8(ascii: "-"))
        guard digits(zeroLeads: false) else { return nil }
        if take(UInt8(ascii: ".")) { guard digits(zeroLeads: true) else { return nil } }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
            guard digits(zeroLeads: true) else { return nil }
        }
        return unsafe .number(text(bytes + start, i - start))
    }

    private mutating func digits(zeroLeads: Bool) -> Bool {
        let start = i
        while i < count, unsafe bytes[i] >= UInt8(ascii: "0"), unsafe bytes[i] <= UInt8(ascii: "9")
        { i += 1 }
        return unsafe i > start
            && (zeroLeads || i - start == 1 || bytes[start] != UInt8(ascii: "0"))
    }

    private mutating func literal(_ name: StaticString, _ value: Value) -> Value? {
        let length = name.utf8CodeUnitCount
        guard i + length <= count else { return nil }
        for j in 0..<length where unsafe bytes[i + j] != name.utf8Start[j] { return nil }
        i += length
        return value
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard i < count, unsafe bytes[i] == byte else { return false }
        i += 1
        return true
    }

    private mutating func skipSpace() {
        while i < count,
            unsafe bytes[i] == 0x20 || bytes[i] == 0x09 || bytes[i] == 0x0A || bytes[i] == 0x0D
        {
            i += 1
        }
    }
}
