/// Writes into a buffer of someone else's; what does not fit is told, not written.
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

    /// Whatever `fill` writes into the room that is left: it returns the number of bytes, or nil if
    /// they did not fit.
    @unsafe mutating func write(
        filledBy fill: (UnsafeMutablePointer<UInt8>, _ capacity: Int) -> Int?
    ) {
        if let written = unsafe fill(start + count, capacity &- count) {
            precondition(written <= capacity &- count)
            count &+= written
        } else {
            isFull = true
        }
    }

    /// A number with zeros before it.
    mutating func write(decimal number: Int, digits: Int) {
        var power = 1
        for _ in 1..<digits { power &*= 10 }
        while power > 0 {
            write(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / power % 10))
            power /= 10
        }
    }

    /// Characters as a part of a JSON string; control characters become `?`.
    mutating func write(quoting bytes: Bytes) {
        for index in 0..<bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                write(UInt8(ascii: "\\"))
            }
            write(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte)
        }
    }

    /// Characters as a part of a header field's value: control characters become `?`.
    mutating func write(line bytes: Bytes, _ offset: Int, length: Int) {
        for index in offset..<offset &+ length {
            let byte = bytes[index]
            write(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte)
        }
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
