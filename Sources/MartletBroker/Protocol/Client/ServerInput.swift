/// What came from a server in one piece, and how much of it is done. Frames are visited where they lie;
/// one that lies across two pieces is put together first. Any connection of a client reads by this:
/// it fills, and visits until nothing whole is left.
package final class ServerInput {
    enum End: Equatable {
        /// Nothing whole is left; the beginning of a frame that may be is kept for later.
        case exhausted
        /// The visitor wanted no more for now.
        case stopped
        case violation(ServerProtocolViolation)
    }

    private var bytes: [UInt8] = []
    private var position = 0
    private var end = 0
    private let partial: PartialFrame
    /// The frame that was put together last.
    private var joined: [UInt8] = []

    package convenience init() { self.init(PartialFrame()) }

    /// Two that read from one stream by turns share what is left over of it.
    init(_ partial: PartialFrame) { self.partial = partial }

    /// Replaces its bytes, which are done, by what `source` puts into the empty buffer.
    package func fill<Result, Failure: Error>(
        _ source: (inout [UInt8]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        assert(position == end, "what came before is not done")
        bytes.removeAll(keepingCapacity: true)
        defer { (position, end) = (0, bytes.count) }
        return try source(&bytes)
    }

    var isEmpty: Bool { position == end }

    /// Visits one frame after another while the visitor returns true.
    func visit(_ visitor: (ServerFrame, Bytes) -> Bool) -> End {
        while true {
            if !partial.isEmpty {
                switch join() {
                case .incomplete, .incompleteLine: return .exhausted
                case .violation(let violation): return .violation(violation)
                case .frame(let frame):
                    let goesOn = unsafe joined.withUnsafeBufferPointer {
                        unsafe visitor(frame, $0.baseAddress!)
                    }
                    if !goesOn { return .stopped }
                    continue
                }
            }
            guard let reached = unsafe visitInPlace(visitor) else {
                keepRest()
                return .exhausted
            }
            return reached
        }
    }

    /// Nil when what is left is not a whole frame.
    private func visitInPlace(_ visitor: (ServerFrame, Bytes) -> Bool) -> End? {
        guard position < end else { return .exhausted }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            let bytes = unsafe buffer.baseAddress.unsafelyUnwrapped
            while position < end {
                switch unsafe ServerFrame.read(bytes, from: position, to: end) {
                case .frame(let frame):
                    position = frame.end
                    if unsafe !visitor(frame, bytes) { return .stopped }
                case .incompleteLine, .incomplete: return nil
                case .violation(let violation): return .violation(violation)
                }
            }
            return .exhausted
        }
    }

    // MARK: Frames that lie across two pieces

    /// Moves what is left to the partial frame.
    private func keepRest() {
        partial.begin(bytes[position..<end])
        end = position
    }

    /// Takes the beginning of a frame away from behind the whole ones, so that somebody else can go on
    /// with what follows. Also while a frame of these bytes is being visited.
    func giveUpRest() {
        var boundary = position
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let bytes = buffer.baseAddress else { return }
            while boundary < end,
                case .frame(let frame) = unsafe ServerFrame.read(bytes, from: boundary, to: end)
            {
                boundary = frame.end
            }
        }
        guard boundary < end else { return }
        partial.begin(bytes[boundary..<end])
        end = boundary
    }

    /// Adds to the partial frame what it needs, and makes that the frame at hand.
    private func join() -> ServerFrame.Outcome {
        while true {
            let outcome = partial.read()
            switch outcome {
            case .violation: return outcome
            case .frame:
                partial.finish(into: &joined)
                return outcome
            case .incompleteLine, .incomplete:
                guard position < end else { return outcome }
                position += partial.take(bytes[position..<end])
            }
        }
    }
}
