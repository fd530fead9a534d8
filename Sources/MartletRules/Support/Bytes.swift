internal import CMartletSystem

/// Bytes that belong to someone else: a payload, a schema file.
///
/// SAFETY: whoever makes one keeps the bytes where they are while it is in use. Places come from a
/// scan of these bytes, which checked them; debug builds check each one.
@safe
struct Bytes: @unchecked Sendable {
    private let base: UnsafePointer<UInt8>
    let count: Int

    @unsafe init(_ base: UnsafePointer<UInt8>, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    @inline(__always)
    subscript(index: Int) -> UInt8 {
        assert(index >= 0 && index < count)
        return unsafe base[index]
    }

    @inline(__always)
    @unsafe func at(_ offset: Int) -> UnsafePointer<UInt8> { unsafe base + offset }

    /// Whether `length` bytes here are those that stand at a place of other bytes.
    @inline(__always)
    func areEqual(_ offset: Int, _ other: Bytes, _ otherOffset: Int, length: Int) -> Bool {
        assert(offset + length <= count && otherOffset + length <= other.count)
        if length == 0 { return true }
        return unsafe martlet_equal(base + offset, other.base + otherOffset, length)
    }

    /// The first eight bytes of a key, zeros behind a shorter one; of a scanned document, which has
    /// eight readable bytes behind each place.
    @inline(__always)
    func keyStart(_ offset: Int, length: Int) -> UInt64 {
        assert(offset + length <= count)
        return unsafe martlet_json_key_start(base + offset, length)
    }

    @inline(never)
    func digitCount(_ start: Int, _ end: Int) -> Int {
        var digits = 0
        for index in start..<end where self[index] &- UInt8(ascii: "0") <= 9 { digits &+= 1 }
        return digits
    }

    /// For messages and tests, not for the evaluation.
    func text(_ offset: Int, length: Int) -> String {
        unsafe String(
            decoding: UnsafeBufferPointer(start: base + offset, count: length), as: UTF8.self)
    }
}
