import MartletBroker

/// A connection that sends exactly what it is told, and waits no longer than its timeout.
///
/// SAFETY: one thread at a time uses it to read, one to send.
public final class RawClient: @unchecked Sendable {
    /// How long a read or a send waits.
    public var timeoutSeconds = isSanitized ? 120.0 : 20.0

    private let end: any WireEnd
    private var reader = FrameReader()
    private var chunk: [UInt8] = []

    public init(_ end: any WireEnd) {
        self.end = end
    }

    /// Over TCP.
    public convenience init(port: Int, pendingBytes: Int? = nil) throws {
        self.init(try TCPEnd(port: port, receiveBufferBytes: pendingBytes))
    }

    deinit { close() }

    // MARK: Sending

    /// CONNECT and PING, and reads up to the PONG.
    public func connect(_ options: ClientOptions = ClientOptions()) throws {
        try send("CONNECT \(options.json)\r\nPING\r\n")
        _ = try read(until: "PONG\r\n")
    }

    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends everything, or fails after the timeout.
    public func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = try end.send(bytes[sent...])
            sent += count
            if count == 0, !end.wait(for: .room, seconds: timeoutSeconds) {
                throw ClientFailure.timeout(
                    waitingFor: "room to send", having: "\(sent) bytes sent")
            }
        }
    }

    // MARK: Reading

    /// The next frame, or nil at the end of the stream.
    public func next() throws -> Frame? {
        while true {
            if let frame = try reader.next() { return frame }
            guard try fill(waitingFor: "a frame") else { return nil }
        }
    }

    /// Everything up to `text` and with it; fails if it does not come.
    public func read(until text: String) throws -> String {
        while true {
            if let found = reader.take(through: text) { return found }
            guard try fill(waitingFor: text) else {
                throw ClientFailure.closed(waitingFor: text, having: reader.tail)
            }
        }
    }

    /// Everything until the other side closes.
    public func readToEnd() throws -> String {
        while try fill(waitingFor: "the end") {}
        return String(decoding: reader.take(.max), as: UTF8.self)
    }

    /// PING, and every frame before its PONG.
    @discardableResult
    public func barrier() throws -> [Frame] {
        try send("PING\r\n")
        return try framesToPong()
    }

    /// Every frame up to the next PONG.
    public func framesToPong() throws -> [Frame] {
        var frames: [Frame] = []
        while true {
            guard let frame = try next() else {
                throw ClientFailure.closed(waitingFor: "PONG", having: reader.tail)
            }
            if frame == .pong { return frames }
            frames.append(frame)
        }
    }

    /// The next message; other frames are passed over, PINGs answered.
    public func message() throws -> Frame.Message {
        while let frame = try next() {
            if case .message(let message) = frame { return message }
            if case .ping = frame { try send("PONG\r\n") }
        }
        throw ClientFailure.closed(waitingFor: "a message", having: reader.tail)
    }

    /// Every frame until the broker closes.
    public func framesToEnd() throws -> [Frame] {
        var frames: [Frame] = []
        while let frame = try next() { frames.append(frame) }
        return frames
    }

    /// Reads so many bytes and throws them away, or as many as are there already.
    public func discard(_ countMax: Int) {
        chunk.removeAll(keepingCapacity: true)
        _ = end.receive(countMax, into: &chunk)
    }

    /// Whether the broker closes the connection within some seconds; what comes before is thrown away.
    public func isClosed(within seconds: Double) -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            chunk.removeAll(keepingCapacity: true)
            switch end.receive(Self.chunkBytes, into: &chunk) {
            case .bytes: break
            case .end: return true
            case .nothingYet:
                let left = ContinuousClock.now.duration(to: deadline) / .seconds(1)
                guard left > 0, end.wait(for: .input, seconds: left) else { return false }
            }
        }
    }

    // MARK: Ending

    /// Whether all that was sent is with the broker's side: what is not, a reset discards.
    public var hasSentAll: Bool { end.hasSentAll }

    public func close() { end.close() }

    /// Closes with a reset instead of an orderly end.
    public func reset() { end.reset() }

    // MARK: Bytes

    private static let chunkBytes = 256 << 10

    /// Reads what is there or comes next; false at the end of the stream.
    private func fill(waitingFor what: String) throws -> Bool {
        while true {
            chunk.removeAll(keepingCapacity: true)
            switch end.receive(Self.chunkBytes, into: &chunk) {
            case .bytes:
                reader.append(chunk)
                return true
            case .end: return false
            case .nothingYet:
                guard end.wait(for: .input, seconds: timeoutSeconds) else {
                    throw ClientFailure.timeout(waitingFor: what, having: reader.tail)
                }
            }
        }
    }
}

/// What a test's client says in CONNECT, and how much its connection holds.
public struct ClientOptions: Sendable {
    public var verbose = false
    public var headers = true
    public var noResponders = true
    public var echo = true
    /// About what waits for the client outside the broker: small, so that one that does not read is
    /// soon felt.
    public var pendingBytes: Int?
    /// The user's name; the password is the same.
    public var user: String?

    public init(
        verbose: Bool = false, headers: Bool = true, noResponders: Bool = true, echo: Bool = true,
        pendingBytes: Int? = nil, user: String? = nil
    ) {
        self.user = user
        self.verbose = verbose
        self.headers = headers
        self.noResponders = noResponders
        self.echo = echo
        self.pendingBytes = pendingBytes
    }

    var json: String {
        let login = user.map { "\"user\":\"\($0)\",\"pass\":\"\($0)\"," } ?? ""
        return """
            {"verbose":\(verbose),"pedantic":false,"headers":\(headers),\
            "no_responders":\(noResponders),"echo":\(echo),\(login)\
            "protocol":0,"name":"test","lang":"swift","version":"1"}
            """
    }
}

/// Why a test's client could not go on.
public enum ClientFailure: Error {
    case connect(code: Int32)
    case timeout(waitingFor: String, having: String)
    case closed(waitingFor: String, having: String)
    case send(code: Int32)
}
