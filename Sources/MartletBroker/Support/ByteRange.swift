/// A place in a buffer that is named elsewhere: where it starts, and how many bytes.
///
/// Two `UInt32`, not a `Range`: that is not `BitwiseCopyable` on Swift 6.3.
struct ByteRange: BitwiseCopyable, Equatable {
    var start: UInt32
    var count: UInt32

    static let empty = ByteRange(start: 0, count: 0)

    init(start: UInt32, count: UInt32) {
        self.start = start
        self.count = count
    }

    init(from start: Int, to end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.count = UInt32(truncatingIfNeeded: end &- start)
    }

    var isEmpty: Bool { count == 0 }
    var length: Int { Int(count) }
}

typealias Bytes = UnsafePointer<UInt8>
typealias MutableBytes = UnsafeMutablePointer<UInt8>

extension UnsafePointer<UInt8> {
    /// The bytes of a range; the caller says that the range lies in what `self` points to.
    @inline(__always)
    func at(_ range: ByteRange) -> UnsafePointer<UInt8> { unsafe self + Int(range.start) }
}

extension UnsafeMutablePointer<UInt8> {
    @inline(__always)
    func at(_ range: ByteRange) -> UnsafePointer<UInt8> {
        unsafe UnsafePointer(self) + Int(range.start)
    }
}

/// Copies of bytes as text, for logs and snapshots; never on the message path.
func text(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> String {
    guard let bytes = unsafe bytes, count > 0 else { return "" }
    return unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
}
