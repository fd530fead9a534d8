/// What a value is.
public enum JSONKind: UInt8, BitwiseCopyable, Sendable {
    case null, `false`, `true`, number, string, array, object
}

/// A value or a key on the tape, in 16 bytes. Members of an object are two entries each, key and
/// value; what a container holds follows it, and `next` skips it.
struct JSONEntry: BitwiseCopyable {
    private let offsetBits: UInt32
    private let lengthBits: UInt32
    /// Kind and flags in the low byte, then the number of members or elements.
    private let shape: UInt32
    /// The entry behind a container, or the hash of a key. Last: a string's constants, with a zero
    /// here, are one store.
    private let link: UInt32

    static let escaped: UInt32 = 0x10
    static let nonASCII: UInt32 = 0x20
    /// A number with a fraction or an exponent.
    static let fractional: UInt32 = 0x10
    static let exponent: UInt32 = 0x20
    /// A number with more digits than are compared; it has the flags of the two above as well, so that
    /// only what is rare looks for this one.
    static let tooLong: UInt32 = 0x70
    static let key: UInt32 = 0x80

    @inline(__always)
    init(
        offset: Int, length: Int, link: UInt32 = 0, kind: JSONKind, flags: UInt32 = 0,
        count: Int = 0
    ) {
        offsetBits = UInt32(truncatingIfNeeded: offset)
        lengthBits = UInt32(truncatingIfNeeded: length)
        self.link = link
        shape = UInt32(kind.rawValue) | flags | UInt32(truncatingIfNeeded: count) &<< 8
    }

    /// Of a string without its quotes, of a container with its brackets.
    @inline(__always)
    var offset: Int { Int(offsetBits) }
    @inline(__always)
    var length: Int { Int(lengthBits) }
    @inline(__always)
    var end: Int { Int(offsetBits) &+ Int(lengthBits) }
    /// The entry behind a container.
    @inline(__always)
    var next: Int { Int(link) }
    /// Of a key.
    @inline(__always)
    var hash: UInt32 { link }
    @inline(__always)
    var count: Int { Int(shape &>> 8) }
    @inline(__always)
    var kind: JSONKind {
        // SAFETY: only `init` writes it, from a kind.
        unsafe unsafeBitCast(UInt8(truncatingIfNeeded: shape) & 7, to: JSONKind.self)
    }
    /// For a table of eight bits, one for each kind.
    @inline(__always)
    var kindBit: UInt32 { 1 &<< (shape & 7) }
    @inline(__always)
    var isContainer: Bool { shape & 7 >= UInt32(JSONKind.array.rawValue) }
    /// A string that holds a backslash.
    @inline(__always)
    var isEscaped: Bool { shape & Self.escaped != 0 }
    @inline(__always)
    var isFractional: Bool { shape & Self.fractional != 0 }
    @inline(__always)
    var hasExponent: Bool { shape & Self.exponent != 0 }
    /// A number with more digits than are compared.
    @inline(__always)
    var isTooLong: Bool { shape & Self.tooLong == Self.tooLong }
    @inline(__always)
    var isPlainASCII: Bool { shape & (Self.escaped | Self.nonASCII) == 0 }
}

extension Cells<JSONEntry> {
    /// The entry behind a value and all that it holds.
    @inline(__always)
    func index(after value: Int) -> Int {
        let entry = self[value]
        return entry.isContainer ? entry.next : value &+ 1
    }
}
