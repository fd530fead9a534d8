import MartletBroker

/// A connection to a server for one command: blocking, one thread, no reconnect.
final class ClientConnection {
    enum Event {
        case message(InProcessMessage)
        case pong
        case timeout
    }

    private static let writeSeconds = 30.0

    private let socket: ClientSocket
    private let url: ServerURL
    private let input = ServerInput()
    /// What the server has said of itself.
    private var info = ReceivedInfo()

    /// Connects and authenticates; the server has accepted the client when this returns.
    ///
    /// - Parameter isPedantic: the server says what it has against a message that it does not take.
    init(
        _ url: ServerURL, name: String, isPedantic: Bool = false, timeoutSeconds: Double = 5
    ) throws(CommandFailure) {
        self.url = url
        let deadline = Deadline.after(seconds: timeoutSeconds)
        socket = try ClientSocket(url.address, deadline: deadline)
        guard case .info(let info)? = try event(by: deadline) else {
            throw CommandFailure(description: "no greeting from \(url.address)")
        }
        guard info.requiresTLS != true else {
            throw CommandFailure(description: "\(url.address) wants TLS, which is not supported")
        }
        self.info = info
        let request = ConnectRequest(
            name: name, credentials: url.credentials, isPedantic: isPedantic,
            hasHeaders: info.hasHeaders == true)
        try send(ClientLine.connect(request) + ClientLine.ping)
        guard case .pong = try next(deadline: deadline) else {
            throw CommandFailure(description: "\(url.address) did not accept the client in time")
        }
    }

    func publish(
        _ subject: String, reply: String? = nil, headers: InProcessHeaders = [:],
        payload: [UInt8]
    ) throws(CommandFailure) {
        let header: [UInt8]
        do throws(BrokerError) {
            try SubjectCheck.forPublish(subject)
            if let reply { try SubjectCheck.forPublish(reply) }
            header = try headers.encoded()
        } catch { throw CommandFailure(error) }
        guard header.isEmpty || info.hasHeaders == true else {
            throw CommandFailure(description: "the server does not take headers")
        }
        let byteCount = header.count + payload.count
        if let payloadBytesMax = info.payloadBytesMax, byteCount > payloadBytesMax {
            throw CommandFailure(
                description:
                    "the message has \(byteCount) bytes, the server takes \(payloadBytesMax)")
        }
        try send(
            PublishFrame.bytes(subject: subject, reply: reply, header: header, payload: payload))
    }

    func subscribe(
        _ subject: String, queue: String? = nil, id: UInt64, messagesMax: Int? = nil
    ) throws(CommandFailure) {
        do throws(BrokerError) {
            try SubjectCheck.forSubscription(subject)
            if let queue { try SubjectCheck.forQueue(queue) }
        } catch { throw CommandFailure(error) }
        var lines = ClientLine.subscribe(subject, queue: queue, id: id)
        if let messagesMax { lines += ClientLine.unsubscribe(id, after: messagesMax) }
        try send(lines)
    }

    /// Returns when the server has handled everything that was sent; messages are thrown away.
    func flush(timeoutSeconds: Double = 10) throws(CommandFailure) {
        try send(ClientLine.ping)
        let deadline = Deadline.after(seconds: timeoutSeconds)
        while true {
            switch try next(deadline: deadline) {
            case .pong: return
            case .message: continue
            case .timeout:
                throw CommandFailure(description: "no answer from \(url.address) in time")
            }
        }
    }

    /// The next message or PONG. An error of the server ends the command.
    func next(deadline: Deadline) throws(CommandFailure) -> Event {
        while let event = try event(by: deadline) {
            switch event {
            case .message(let message, _): return .message(message)
            case .ping: try send(ClientLine.pong)
            case .pong: return .pong
            case .error(let text): throw CommandFailure(description: "server error: '\(text)'")
            case .info(let newer): info.adopt(newer)
            case .ok: continue
            }
        }
        return .timeout
    }

    /// Nil when the time is up.
    private func event(by deadline: Deadline) throws(CommandFailure) -> ServerEvent? {
        while true {
            do throws(ServerProtocolViolation) {
                if let event = try input.next() { return event }
            } catch {
                throw CommandFailure(
                    description: "\(url.address) is no NATS server: it sent \(error)")
            }
            switch input.fill({ socket.receive(into: &$0, deadline: deadline) }) {
            case .bytes: continue
            case .timeout: return nil
            case .closed: throw CommandFailure(description: "connection closed by \(url.address)")
            }
        }
    }

    private func send(_ text: String) throws(CommandFailure) { try send(Array(text.utf8)) }

    private func send(_ bytes: [UInt8]) throws(CommandFailure) {
        try socket.send(bytes, deadline: .after(seconds: Self.writeSeconds))
    }
}
