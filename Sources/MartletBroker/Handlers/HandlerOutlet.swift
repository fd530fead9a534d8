import Glibc
import Synchronization

/// The way from handlers to the broker: it writes whole frames into the pipe, from any thread.
final class HandlerOutlet: Sendable {
    let pipe: MemoryPipe
    /// Raised when a full pipe has room again, and at the end.
    let room: HandlerSignal
    private let payloadBytes = Atomic<Int>(0)
    private let headers = Atomic<Bool>(false)
    private let controlLineBytesMax: Int

    /// Of a line, besides the subject of the reply.
    private static let lineBytesMax = 64

    init(pipe: MemoryPipe, room: HandlerSignal, controlLineBytesMax: Int) {
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
        subjectCount > 0 && subjectCount + Self.lineBytesMax <= controlLineBytesMax
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

    /// As an INFO says, which comes first, and again when something has changed.
    func adopt(info json: UnsafeBufferPointer<UInt8>) {
        guard let start = json.baseAddress else { return }
        var reader = unsafe JSONReader(start, json.count)
        guard case .object(let members)? = reader.document() else { return }
        for (name, value) in members {
            switch (name, value) {
            case ("max_payload", .number(let text)):
                payloadBytes.store(Int(text) ?? 0, ordering: .relaxed)
            case ("headers", .bool(let hasHeaders)):
                headers.store(hasHeaders, ordering: .relaxed)
            default: break
            }
        }
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
        unsafe withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { sizes in
            let sizesCount = unsafe Self.writeSizes(
                header: header.count, total: header.count + payload.count, into: sizes)
            return unsafe withUnsafeTemporaryAllocation(
                of: UnsafeRawBufferPointer.self, capacity: 6
            ) { parts in
                unsafe parts.initializeElement(
                    at: 0, to: header.isEmpty ? Self.publish : Self.publishWithHeader)
                unsafe parts.initializeElement(at: 1, to: subject)
                unsafe parts.initializeElement(
                    at: 2, to: UnsafeRawBufferPointer(rebasing: sizes[..<sizesCount]))
                unsafe parts.initializeElement(at: 3, to: header)
                unsafe parts.initializeElement(at: 4, to: payload)
                unsafe parts.initializeElement(at: 5, to: Self.lineEnd)
                let frame = UnsafeBufferPointer(parts)
                guard waits else { return unsafe pipe.peerSend(whole: frame) != false }
                unsafe write(frame)
                return true
            }
        }
    }

    private static func constant(_ text: StaticString) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
    private static var publish: UnsafeRawBufferPointer { unsafe constant("PUB ") }
    private static var publishWithHeader: UnsafeRawBufferPointer { unsafe constant("HPUB ") }
    private static var lineEnd: UnsafeRawBufferPointer { unsafe constant("\r\n") }

    /// ` 12 345` and the line's end; how many bytes. Without a header, only the total.
    private static func writeSizes(
        header: Int, total: Int, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        var count = 0
        func write(_ number: Int) {
            var divisor = 1
            while number / divisor >= 10 { divisor *= 10 }
            unsafe buffer[count] = .space
            count += 1
            while divisor > 0 {
                unsafe buffer[count] = UInt8(ascii: "0") + UInt8(number / divisor % 10)
                count += 1
                divisor /= 10
            }
        }
        if header > 0 { write(header) }
        write(total)
        unsafe buffer[count] = .carriageReturn
        unsafe buffer[count + 1] = .lineFeed
        return count + 2
    }
}
