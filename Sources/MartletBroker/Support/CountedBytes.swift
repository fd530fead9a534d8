import Glibc

/// Bytes that somebody else keeps, and how many there are. A debug build stops where one is asked for
/// more than it has.
///
/// SAFETY: whoever makes one promises that its bytes stay readable, and as they are, while it is in use.
@safe
struct CountedBytes: BitwiseCopyable {
    let start: Bytes
    let count: Int

    @inline(__always)
    @unsafe init(_ start: Bytes, _ count: Int) {
        assert(count >= 0)
        unsafe self.start = start
        self.count = count
    }

    /// The bytes of a literal.
    init(_ text: StaticString) {
        unsafe self.init(text.utf8Start, text.utf8CodeUnitCount)
    }

    static var none: CountedBytes { CountedBytes("") }

    @inline(__always) var isEmpty: Bool { count == 0 }

    @inline(__always)
    subscript(index: Int) -> UInt8 {
        assert(index >= 0 && index < count)
        return unsafe start[index]
    }

    @inline(__always)
    func prefix(_ length: Int) -> CountedBytes {
        assert(length <= count)
        return unsafe CountedBytes(start, length)
    }

    @inline(__always)
    func dropFirst(_ length: Int) -> CountedBytes {
        assert(length >= 0)
        return unsafe CountedBytes(start + length, count &- length)
    }
}

extension CountedBytes: Equatable {
    static func == (a: CountedBytes, b: CountedBytes) -> Bool {
        unsafe a.count == b.count && memcmp(a.start, b.start, a.count) == 0
    }
}

extension [UInt8] {
    /// A copy.
    init(_ bytes: CountedBytes) {
        self = unsafe Array(UnsafeBufferPointer(start: bytes.start, count: bytes.count))
    }
}

/// As `text(_:_:)` of a pointer.
func text(_ bytes: CountedBytes) -> String { unsafe text(bytes.start, bytes.count) }
