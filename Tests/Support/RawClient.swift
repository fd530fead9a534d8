import Glibc

/// A TCP connection that sends exactly what it is told, and waits no longer than its timeout.
///
/// SAFETY: one thread at a time uses it to read, one to send.
public final class RawClient: @unchecked Sendable {
    public let descriptor: Int32
    /// How long a read or a send waits.
    public var timeoutSeconds = 20.0

    private var buffer: [UInt8] = []
    private var start = 0
    private var isOpen = true
    private var chunk = [UInt8](repeating: 0, count: 256 << 10)

    public init(port: Int, receiveBufferBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ClientFailure.connect(code: errno) }
        if var size = receiveBufferBytes {
            unsafe setsockopt(
                descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var on: Int32 = 1
        unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            let failure = ClientFailure.connect(code: errno)
            Glibc.close(descriptor)
            isOpen = false
            throw failure
        }
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
            let count = trySend(bytes[sent...])
            if count < 0 { throw ClientFailure.send(code: errno) }
            sent += count
            if count == 0, !wait(for: Int16(POLLOUT), timeoutSeconds) {
                throw ClientFailure.timeout(
                    waitingFor: "room to send", having: "\(sent) bytes sent")
            }
        }
    }

    /// Sends what the socket takes now: how many bytes, or -1.
    public func trySend(_ bytes: ArraySlice<UInt8>) -> Int {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(
                descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        return count < 0 && errno == EAGAIN ? 0 : count
    }

    // MARK: Reading

    /// The next frame, or nil at the end of the stream.
    public func next() throws -> Frame? {
        while true {
            if let frame = try takeFrame() { return frame }
            guard try fill(waitingFor: "a frame") else { return nil }
        }
    }

    /// Everything up to `text` and with it; fails if it does not come.
    public func read(until text: String) throws -> String {
        let wanted = Array(text.utf8)
        var searched = start
        while true {
            if let end = find(wanted, from: searched) {
                defer { consume(to: end) }
                return String(decoding: buffer[start..<end], as: UTF8.self)
            }
            let kept = max(0, buffer.count - start - wanted.count)
            guard try fill(waitingFor: text) else {
                throw ClientFailure.closed(waitingFor: text, having: tail)
            }
            searched = start + kept
        }
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
                throw ClientFailure.closed(waitingFor: "PONG", having: tail)
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
        throw ClientFailure.closed(waitingFor: "a message", having: tail)
    }

    /// Every frame until the broker closes.
    public func framesToEnd() throws -> [Frame] {
        var frames: [Frame] = []
        while let frame = try next() { frames.append(frame) }
        return frames
    }

    /// Whether the broker closes the connection within some seconds; what comes before is thrown away.
    public func isClosed(within seconds: Double) -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            guard wait(for: Int16(POLLIN), 0.05) else { continue }
            let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
            if count <= 0 { return true }
        }
        return false
    }

    /// The next `count` bytes as they come, one `recv` at a time.
    public func readBytes(_ count: Int) throws -> [UInt8] {
        while buffer.count - start < count {
            guard try fill(waitingFor: "\(count) bytes") else { break }
        }
        let end = min(buffer.count, start + count)
        defer { consume(to: end) }
        return Array(buffer[start..<end])
    }

    // MARK: Ending

    /// No more will be sent; reading goes on.
    public func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    public func close() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(descriptor)
    }

    /// Closes with a reset instead of an orderly end.
    public func reset() {
        var off = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &off, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Whether the peer's kernel has taken all that was sent: what has not arrived, a reset discards.
    public var hasSentAll: Bool {
        var waiting: CInt = 0
        return unsafe ioctl(descriptor, UInt(TIOCOUTQ), &waiting) == 0 && waiting == 0
    }

    // MARK: Bytes

    private var tail: String { String(decoding: buffer[start...].suffix(300), as: UTF8.self) }

    private func wait(for events: Int16, _ seconds: Double) -> Bool {
        var one = pollfd(fd: descriptor, events: events, revents: 0)
        return unsafe poll(&one, 1, Int32(seconds * 1_000)) > 0
    }

    /// Reads once; false at the end of the stream.
    private func fill(waitingFor what: String) throws -> Bool {
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            start = 0
        } else if start > 1 << 20 {
            buffer.removeFirst(start)
            start = 0
        }
        guard wait(for: Int16(POLLIN), timeoutSeconds) else {
            throw ClientFailure.timeout(waitingFor: what, having: tail)
        }
        let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        buffer += chunk[..<count]
        return true
    }

    private func consume(to end: Int) { start = end }

    /// Where the first `wanted` at or behind `from` ends.
    private func find(_ wanted: [UInt8], from: Int) -> Int? {
        unsafe buffer.withUnsafeBytes { bytes -> Int? in
            var place = from
            while bytes.count - place >= wanted.count {
                let first = unsafe bytes.baseAddress! + place
                let room = bytes.count - place - wanted.count + 1
                guard let found = unsafe memchr(first, Int32(wanted[0]), room) else { return nil }
                let start = unsafe UnsafeRawPointer(found) - bytes.baseAddress!
                if unsafe memcmp(found, wanted, wanted.count) == 0 { return start + wanted.count }
                place = start + 1
            }
            return nil
        }
    }

    private func takeFrame() throws -> Frame? {
        guard let lineEnd = find([0x0D, 0x0A], from: start) else { return nil }
        let line = String(decoding: buffer[start..<(lineEnd - 2)], as: UTF8.self)
        let words = line.split(separator: " ")
        switch words.first {
        case "MSG", "HMSG":
            return try takeMessage(line, words, from: lineEnd)
        case "INFO":
            consume(to: lineEnd)
            return .info(String(line.dropFirst(5)))
        case "PING":
            consume(to: lineEnd)
            return .ping
        case "PONG":
            consume(to: lineEnd)
            return .pong
        case "+OK":
            consume(to: lineEnd)
            return .ok
        case "-ERR":
            consume(to: lineEnd)
            return .error(String(line.dropFirst(5)))
        default: throw MalformedFrame(line: line)
        }
    }

    private func takeMessage(
        _ line: String, _ words: [Substring], from lineEnd: Int
    ) throws -> Frame? {
        let sizes = words[0] == "HMSG" ? 2 : 1
        guard words.count == 3 + sizes || words.count == 4 + sizes,
            let total = Int(words[words.count - 1]),
            let header = sizes == 2 ? Int(words[words.count - 2]) : 0, header <= total
        else { throw MalformedFrame(line: line) }
        let end = lineEnd + total + 2
        guard buffer.count >= end else { return nil }
        guard buffer[end - 2] == 0x0D, buffer[end - 1] == 0x0A else {
            throw MalformedFrame(line: line)
        }
        defer { consume(to: end) }
        return .message(
            Frame.Message(
                subject: String(words[1]), sid: String(words[2]),
                reply: words.count == 4 + sizes ? String(words[3]) : nil,
                header: String(decoding: buffer[lineEnd..<(lineEnd + header)], as: UTF8.self),
                payload: Array(buffer[(lineEnd + header)..<(end - 2)])))
    }
}
