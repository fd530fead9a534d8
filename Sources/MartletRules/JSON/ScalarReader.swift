/// The characters of a JSON string that a scan has checked, escapes resolved.
struct ScalarReader {
    private let bytes: Bytes
    private(set) var position: Int
    let end: Int

    @inline(__always)
    init(_ bytes: Bytes, _ entry: JSONEntry) {
        self.bytes = bytes
        position = entry.offset
        end = entry.end
    }

    @inline(__always)
    var isAtEnd: Bool { position >= end }

    /// The next code point; only if there is one.
    @inline(__always)
    mutating func next() -> UInt32 {
        let byte = bytes[position]
        if byte < 0x80 && byte != UInt8(ascii: "\\") {
            position &+= 1
            return UInt32(byte)
        }
        return byte < 0x80 ? escape() : sequence(byte)
    }

    private mutating func sequence(_ first: UInt8) -> UInt32 {
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        var scalar = UInt32(first) & (0x7F &>> UInt32(length))
        for i in 1..<length { scalar = scalar &<< 6 | UInt32(bytes[position &+ i] & 0x3F) }
        position &+= length
        return scalar
    }

    private mutating func escape() -> UInt32 {
        let letter = bytes[position &+ 1]
        position &+= 2
        switch letter {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"): break
        default: return UInt32(letter)
        }
        let unit = fourDigits()
        guard unit & 0xFC00 == 0xD800 else { return unit }
        position &+= 2
        return 0x10000 &+ (unit & 0x3FF) &<< 10 &+ (fourDigits() & 0x3FF)
    }

    private mutating func fourDigits() -> UInt32 {
        var unit: UInt32 = 0
        for i in 0..<4 {
            let digit = UInt32(bytes[position &+ i])
            unit = unit &<< 4 | (digit & 0xF) &+ (digit &>> 6) &* 9
        }
        position &+= 4
        return unit
    }
}

/// The bytes of a character in UTF-8, the first in the lowest byte, and how many there are.
@inline(__always)
func encodedUTF8(_ scalar: UInt32) -> (bytes: UInt32, count: Int) {
    if scalar < 0x80 { return (scalar, 1) }
    if scalar < 0x800 { return (0x80C0 | scalar &>> 6 | (scalar & 0x3F) &<< 8, 2) }
    if scalar < 0x10000 {
        return (0x8080E0 | scalar &>> 12 | (scalar &>> 6 & 0x3F) &<< 8 | (scalar & 0x3F) &<< 16, 3)
    }
    return (
        0x8080_80F0 | scalar &>> 18 | (scalar &>> 12 & 0x3F) &<< 8 | (scalar &>> 6 & 0x3F) &<< 16
            | (scalar & 0x3F) &<< 24, 4
    )
}
