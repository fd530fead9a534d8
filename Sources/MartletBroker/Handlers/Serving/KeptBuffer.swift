/// A buffer that one reply leaves to the next, so that writing it allocates nothing once it is large
/// enough.
struct KeptBuffer {
    private var bytes: [UInt8] = []

    /// More than this is not kept.
    private static let bytesKept = 1 << 20

    /// The buffer, empty; `giveBack` returns it.
    mutating func take() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        return taken
    }

    /// Leaves `buffer` empty: a second reference to what it holds would be copied when it is cleared.
    mutating func giveBack(_ buffer: inout [UInt8]) {
        swap(&bytes, &buffer)
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.bytesKept)
    }
}
