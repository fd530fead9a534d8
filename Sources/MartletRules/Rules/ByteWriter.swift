/// Writes into a buffer of someone else's; what does not fit is noted, not written.
///
/// SAFETY: whoever makes one keeps the buffer while it is in use; every write is checked against
/// the capacity.
@safe
struct ByteWriter {
    private let start: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    private(set) var count = 0
    private(set) var isFull = false

    @unsafe init(_ start: UnsafeMutablePointer<UInt8>, capacity: Int) {
        unsafe self.start = start
        self.capacity = capacity
    }

    @inline(__always)
    mutating func write(_ byte: UInt8) {
        if count < capacity {
            unsafe start[count] = byte
            count &+= 1
        } else {
            isFull = true
        }
    }

    mutating func write(_ bytes: Bytes, _ offset: Int, length: Int) {
        guard length <= capacity &- count else {
            isFull = true
            return
        }
        unsafe (start + count).update(from: bytes.at(offset), count: length)
        count &+= length
    }

    mutating func write(_ text: StaticString) {
        guard text.utf8CodeUnitCount <= capacity &- count else {
            isFull = true
            return
        }
        unsafe (start + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count &+= text.utf8CodeUnitCount
    }

    mutating func write(decimal number: Int) {
        if number < 0 { write(UInt8(ascii: "-")) }
        var power: UInt = 1
        while number.magnitude / power >= 10 { power &*= 10 }
        while power > 0 {
            write(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number.magnitude / power % 10))
            power /= 10
        }
    }

    /// A character in UTF-8.
    @inline(__always)
    mutating func write(scalar: UInt32) {
        var (encoded, size) = encodedUTF8(scalar)
        for _ in 0..<size {
            write(UInt8(truncatingIfNeeded: encoded))
            encoded &>>= 8
        }
    }
}
