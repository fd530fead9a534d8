import Glibc

/// The beginning of a frame whose rest has not come yet. It is read again only when there is something
/// new to learn: with the end of its line, and with its last byte.
final class PartialFrame {
    private(set) var bytes: [UInt8] = []
    /// There is no end of a line in it yet.
    private var isLineOpen = false
    /// Of the whole frame, once its line is known.
    private var byteCount = 0

    /// Memory that is taken for a frame before its bytes have come.
    private static let reservedBytesMax = 1 << 20
    /// More memory than this is not kept for the next frame.
    private static let keptBytesMax = 4 << 20

    var isEmpty: Bool { bytes.isEmpty }

    func read() -> ServerFrame.Outcome {
        if isLineOpen, bytes.count <= ServerFrame.lineBytesMax { return .incompleteLine }
        if byteCount > bytes.count { return .incomplete(byteCount: byteCount) }
        let outcome = unsafe bytes.withUnsafeBufferPointer {
            unsafe ServerFrame.read($0.baseAddress!, from: 0, to: $0.count)
        }
        switch outcome {
        case .incompleteLine: isLineOpen = true
        case .incomplete(let count): byteCount = count
        case .frame, .violation: break
        }
        return outcome
    }

    /// Begins with what is left of a piece.
    func begin(_ rest: ArraySlice<UInt8>) {
        assert(isEmpty)
        bytes.append(contentsOf: rest)
        (isLineOpen, byteCount) = (false, 0)
    }

    /// Adds what it needs of these bytes and no more; how many that were.
    func take(_ more: ArraySlice<UInt8>) -> Int {
        let taken: Int
        if isLineOpen {
            let lineFeed = more.firstIndex(of: .lineFeed)
            taken = lineFeed.map { $0 + 1 - more.startIndex } ?? more.count
            isLineOpen = lineFeed == nil
        } else {
            taken = min(byteCount - bytes.count, more.count)
            bytes.reserveCapacity(min(byteCount, Self.reservedBytesMax))
        }
        bytes.append(contentsOf: more.prefix(taken))
        return taken
    }

    /// Leaves what it has put together in `buffer`, and begins anew in the memory of that.
    func finish(into buffer: inout [UInt8]) {
        swap(&bytes, &buffer)
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptBytesMax)
        (isLineOpen, byteCount) = (false, 0)
    }
}
