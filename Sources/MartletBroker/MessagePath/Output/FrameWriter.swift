// Message path, beside MessageEncoder.swift: frames that are put together piece by piece.

import Glibc

/// Appends to room that was reserved for a whole frame.
///
/// SAFETY: whoever makes one promises `capacity` writable bytes from `start` on, and appends no more; a
/// debug build stops where more is appended.
@safe
struct FrameWriter {
    private let start: MutableBytes
    private let capacity: Int
    private(set) var count = 0

    @unsafe init(_ start: MutableBytes, capacity: Int) {
        unsafe self.start = unsafe start
        self.capacity = capacity
    }

    /// What was appended so far.
    var written: CountedBytes { unsafe CountedBytes(start, count) }

    @unsafe mutating func append(_ bytes: Bytes, _ length: Int) {
        assert(count + length <= capacity)
        unsafe memcpy(start + count, bytes, length)
        count += length
    }

    mutating func append(_ bytes: CountedBytes) {
        unsafe append(bytes.start, bytes.count)
    }

    mutating func append(_ text: StaticString) {
        unsafe append(text.utf8Start, text.utf8CodeUnitCount)
    }

    mutating func append(_ number: Int) {
        var digits = 1
        var bound = 10
        while number >= bound {
            digits += 1
            bound *= 10
        }
        assert(number >= 0 && count + digits <= capacity)
        var rest = number
        for i in stride(from: count + digits - 1, through: count, by: -1) {
            unsafe start[i] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        count += digits
    }
}
