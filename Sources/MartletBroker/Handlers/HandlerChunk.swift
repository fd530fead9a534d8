import Glibc

/// The beginning of a frame whose rest has not come yet.
final class HandlerCarry {
    var bytes: [UInt8] = []
}

/// What was taken out of a pipe, and how much of it is done. Frames are visited where they lie; one that
/// lies across two chunks is put together first.
final class HandlerChunk {
    enum End {
        /// Nothing whole is left; the beginning of a frame that may be is carried on.
        case exhausted
        /// The visitor wanted no more for now.
        case stopped
        /// No broker writes this.
        case violation
    }

    var bytes: [UInt8] = []
    private var position = 0
    private var end = 0
    /// The frame that was put together last.
    private var joined: [UInt8] = []

    /// Has the pipe's bytes in place of its own, which are done. False at the end of the pipe.
    func fill(from pipe: MemoryPipe) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        let isOpen = pipe.peerReceive(into: &bytes)
        (position, end) = (0, bytes.count)
        return isOpen
    }

    var isEmpty: Bool { position == end }

    /// Visits one frame after another while the visitor returns true.
    func visit(_ carry: HandlerCarry, _ visitor: (HandlerFrame, Bytes) -> Bool) -> End {
        while true {
            if !carry.bytes.isEmpty {
                switch join(carry) {
                case .incomplete: return .exhausted
                case .violation: return .violation
                case .frame(let frame):
                    let goesOn = unsafe joined.withUnsafeBufferPointer {
                        unsafe visitor(frame, $0.baseAddress!)
                    }
                    if !goesOn { return .stopped }
                    continue
                }
            }
            guard let reached = unsafe visitInPlace(visitor) else {
                carryRest(into: carry)
                return .exhausted
            }
            return reached
        }
    }

    /// Nil when what is left is not a whole frame.
    private func visitInPlace(_ visitor: (HandlerFrame, Bytes) -> Bool) -> End? {
        guard position < end else { return .exhausted }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            let bytes = unsafe buffer.baseAddress.unsafelyUnwrapped
            while position < end {
                switch unsafe HandlerFrame.parse(bytes, from: position, to: end) {
                case .frame(let frame):
                    position = frame.end
                    if unsafe !visitor(frame, bytes) { return .stopped }
                case .incomplete: return nil
                case .violation: return .violation
                }
            }
            return .exhausted
        }
    }

    /// Moves what is left to the carry, which is empty.
    private func carryRest(into carry: HandlerCarry) {
        carry.bytes.append(contentsOf: bytes[position..<end])
        end = position
    }

    /// Takes the beginning of a frame away from behind the whole ones, so that somebody else can go on
    /// with what follows. Also while a frame of this chunk is being visited.
    func giveUpRest(to carry: HandlerCarry) {
        var boundary = position
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let bytes = buffer.baseAddress else { return }
            while boundary < end,
                case .frame(let frame) = unsafe HandlerFrame.parse(bytes, from: boundary, to: end)
            {
                boundary = frame.end
            }
        }
        guard boundary < end else { return }
        carry.bytes.append(contentsOf: bytes[boundary..<end])
        end = boundary
    }

    /// Adds to the carry what its frame needs, and makes that the frame at hand.
    private func join(_ carry: HandlerCarry) -> HandlerFrame.Outcome {
        while true {
            let count = carry.bytes.count
            let outcome = unsafe carry.bytes.withUnsafeBufferPointer {
                unsafe HandlerFrame.parse($0.baseAddress!, from: 0, to: count)
            }
            guard case .incomplete(let wanted) = outcome else {
                swap(&carry.bytes, &joined)
                carry.bytes.removeAll(keepingCapacity: true)
                return outcome
            }
            guard position < end else { return outcome }
            let missing = wanted > 0 ? wanted - count : lineBytesLeft()
            let taken = min(missing, end - position)
            carry.bytes.reserveCapacity(wanted)
            carry.bytes.append(contentsOf: bytes[position..<(position + taken)])
            position += taken
        }
    }

    /// Up to the end of the line that the carry begins.
    private func lineBytesLeft() -> Int {
        guard let lineFeed = bytes[position..<end].firstIndex(of: .lineFeed) else {
            return end - position
        }
        return lineFeed + 1 - position
    }
}
