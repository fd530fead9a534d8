import Glibc

/// One connection of the monitoring port: one request, one answer, and the end.
struct HTTPExchange {
    enum Phase {
        case reading
        /// The answer is being made elsewhere.
        case answering
        case writing
        /// All is sent; what the peer still sends is thrown away, so that a reset does not
        /// overtake the answer.
        case draining
        case over
    }

    static let headBytesMax = 8_192
    /// Linux's POLLRDHUP, which Glibc's overlay leaves out.
    private static let peerClosed: Int16 = 0x2000

    let descriptor: Int32
    let id: UInt64
    private(set) var phase = Phase.reading
    /// In seconds of the monotonic clock: a peer that is too slow is dropped then.
    private(set) var deadline: Int
    private var inbound: [UInt8] = []
    private var outbound: [UInt8] = []
    private var sent = 0
    private var includesBody = true
    /// The peer sends no more. It may still read an answer, but nobody makes a long one for it.
    private(set) var peerHasClosed = false

    init(descriptor: Int32, id: UInt64, now: Int) {
        self.descriptor = descriptor
        self.id = id
        deadline = now + 5
    }

    /// The events to poll for.
    var interest: Int16 {
        switch phase {
        case .reading, .draining: Int16(POLLIN)
        case .writing: Int16(POLLOUT)
        case .answering: peerHasClosed ? 0 : Self.peerClosed
        case .over: 0
        }
    }

    /// Does what the socket is ready for; returns a request once one is complete.
    mutating func advance(now: Int) -> HTTPRequest? {
        switch phase {
        case .reading: return read(now: now)
        case .writing: write(now: now)
        case .draining: drain()
        case .answering: lookForEnd()
        // Polled for nothing, so only an error or a hang-up wakes us.
        case .over: phase = .over
        }
        return nil
    }

    mutating func answer(_ response: HTTPResponse, now: Int) {
        outbound = response.bytes(includesBody: includesBody)
        phase = .writing
        deadline = now + 10
        write(now: now)
    }

    private mutating func read(now: Int) -> HTTPRequest? {
        guard let bytes = receive() else { return nil }
        inbound += bytes
        guard let end = Self.endOfHead(inbound) else {
            if inbound.count > Self.headBytesMax { answer(.headTooLarge, now: now) }
            return nil
        }
        guard let request = HTTPRequest(head: inbound[..<end]) else {
            answer(.badRequest, now: now)
            return nil
        }
        inbound = []
        includesBody = request.method != "HEAD"
        phase = .answering
        deadline = now + 30
        return request
    }

    private mutating func write(now: Int) {
        while sent < outbound.count {
            let count = unsafe outbound[sent...].withUnsafeBytes {
                unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else {
                phase = .over
                return
            }
            sent += count
        }
        shutdown(descriptor, Int32(SHUT_WR))
        phase = .draining
        deadline = now + 2
    }

    private mutating func drain() { _ = receive() }

    /// The peer has closed its side, or there is an error.
    private mutating func lookForEnd() {
        var polled = pollfd(fd: descriptor, events: 0, revents: 0)
        _ = unsafe poll(&polled, 1, 0)
        peerHasClosed = true
        if polled.revents != 0 { phase = .over }
    }

    /// What has come, nil if nothing; the end of the stream ends the exchange.
    private mutating func receive() -> ArraySlice<UInt8>? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        guard count > 0 else {
            phase = .over
            return nil
        }
        return buffer[..<count]
    }

    /// Where the empty line starts that ends the head.
    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let (lf, cr) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        for index in bytes.indices where bytes[index] == lf {
            if index >= 1, bytes[index - 1] == lf { return index }
            if index >= 2, bytes[index - 1] == cr, bytes[index - 2] == lf { return index }
        }
        return nil
    }
}
