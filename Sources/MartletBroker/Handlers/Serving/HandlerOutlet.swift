import Synchronization

/// The way from handlers to the broker: it writes whole frames into the pipe, from any thread.
final class HandlerOutlet: Sendable {
    let pipe: MemoryPipe
    /// Raised when a full pipe has room again, and at the end.
    let room: ThreadSignal
    private let payloadBytes = Atomic<Int>(0)
    private let headers = Atomic<Bool>(false)
    private let controlLineBytesMax: Int

    init(pipe: MemoryPipe, room: ThreadSignal, controlLineBytesMax: Int) {
        self.pipe = pipe
        self.room = room
        self.controlLineBytesMax = controlLineBytesMax
    }

    var payloadBytesMax: Int { payloadBytes.load(ordering: .relaxed) }
    var hasHeaders: Bool { headers.load(ordering: .relaxed) }

    /// Whether the broker would take such a reply.
    func check(headerBytes: Int, payloadBytes: Int) throws(BrokerError) {
        guard headerBytes == 0 || hasHeaders else {
            throw BrokerError(.header, "the broker is configured without headers")
        }
        let total = headerBytes + payloadBytes
        guard total <= payloadBytesMax else {
            throw BrokerError(
                .payloadTooLarge, "\(total) bytes are more than the \(payloadBytesMax) of a message"
            )
        }
    }

    /// A longer control line would cost the connection.
    func canReply(to subjectCount: Int) -> Bool {
        subjectCount > 0 && subjectCount + PublishFrame.lineBytesMax <= controlLineBytesMax
    }

    /// Waits for room.
    func write(line: String) {
        while !tryWrite(line) { room.wait(atMost: 10_000_000) }
    }

    /// False when there is no room.
    @discardableResult
    func tryWrite(_ line: String) -> Bool {
        var line = line
        return line.withUTF8 { bytes in
            unsafe withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: 1) {
                unsafe $0.initialize(repeating: UnsafeRawBufferPointer(bytes))
                return unsafe pipe.peerSend(whole: UnsafeBufferPointer($0)) != false
            }
        }
    }

    func adopt(_ info: ReceivedInfo) {
        if let count = info.payloadBytesMax { payloadBytes.store(count, ordering: .relaxed) }
        if let hasHeaders = info.hasHeaders { headers.store(hasHeaders, ordering: .relaxed) }
    }

    private func write(_ parts: UnsafeBufferPointer<UnsafeRawBufferPointer>) {
        // Whoever else waits may have got the signal: so this looks again before long.
        while unsafe pipe.peerSend(whole: parts) == false { room.wait(atMost: 10_000_000) }
    }

    /// A message to where the answer is expected. True when it was taken, or there is nobody any more;
    /// false when the pipe is full and `waits` is false.
    @discardableResult
    func send(
        to subject: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer, waits: Bool = true
    ) -> Bool {
        unsafe PublishFrame.withParts(subject: subject, header: header, payload: payload) { parts in
            guard waits else { return unsafe pipe.peerSend(whole: parts) != false }
            unsafe write(parts)
            return true
        }
    }
}
