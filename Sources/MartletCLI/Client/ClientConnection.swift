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

    /// To the first of these servers that accepts the client; throws what each of them has against it.
    static func open(
        _ servers: [ServerURL], name: String, isVerbose: Bool = false
    ) throws(CommandFailure) -> ClientConnection {
        var failures: [CommandFailure] = []
        for server in servers {
            do throws(CommandFailure) {
                return try ClientConnection(server, name: name, isVerbose: isVerbose)
            } catch { failures.append(error) }
        }
        if failures.count == 1 { throw failures[0] }
        throw CommandFailure(
            description: failures.map(\.description).joined(separator: "; "),
            // A server that refuses the client says more than one that is not there.
            exitCode: failures.map(\.exitCode).min() ?? CommandFailure.refused)
    }

    /// Connects and authenticates; the server has accepted the client when this returns.
    ///
    /// - Parameter isVerbose: the server answers everything, by an error where it does not take a message.
    init(
        _ url: ServerURL, name: String, isVerbose: Bool = false, timeoutSeconds: Double = 5
    ) throws(CommandFailure) {
        self.url = url
        let deadline = Deadline.after(seconds: timeoutSeconds)
        socket = try ClientSocket(url.address, deadline: deadline)
        guard case .info(let info)? = try event(by: deadline) else {
            throw .noConnection("no greeting from \(url.address)")
        }
        guard info.requiresTLS != true else {
            throw .noConnection("\(url.address) wants TLS, which is not supported")
        }
        self.info = info
        let request = ConnectRequest(
            name: name, credentials: url.credentials, isVerbose: isVerbose,
            hasHeaders: info.hasHeaders == true)
        try send(ClientLine.connect(request) + ClientLine.ping)
        guard case .pong = try next(deadline: deadline) else {
            throw .noConnection("\(url.address) did not accept the client in time")
        }
    }

    // MARK: Sending

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

    /// Returns when the server has handled everything that was sent; messages are thrown away. Throws
    /// what it had against any of it.
    func flush(timeoutSeconds: Double = 10) throws(CommandFailure) {
        try send(ClientLine.ping)
        let deadline = Deadline.after(seconds: timeoutSeconds)
        while true {
            switch try next(deadline: deadline) {
            case .pong: return
            case .message: continue
            case .timeout: throw .noConnection("no answer from \(url.address) in time")
            }
        }
    }

    private func send(_ text: String) throws(CommandFailure) { try send(Array(text.utf8)) }

    private func send(_ bytes: [UInt8]) throws(CommandFailure) {
        do throws(CommandFailure) {
            try socket.send(bytes, deadline: .after(seconds: Self.writeSeconds))
        } catch {
            // A server that closes says why before.
            while let event = try event(by: .after(seconds: 0)) { try check(event) }
            throw error
        }
    }

    // MARK: Receiving

    /// The next message, however long it takes. A server that has been silent is asked whether it is
    /// there, and has as long again to say so.
    func message(askingAfter silenceSeconds: Double = 60) throws(CommandFailure) -> InProcessMessage
    {
        var isAsked = false
        while true {
            switch try next(deadline: .after(seconds: silenceSeconds)) {
            case .message(let message): return message
            case .pong: isAsked = false
            case .timeout:
                guard !isAsked else {
                    throw .noConnection("connection lost: \(url.address) does not answer")
                }
                try send(ClientLine.ping)
                isAsked = true
            }
        }
    }

    /// The next message or PONG. An error of the server ends the command.
    func next(deadline: Deadline) throws(CommandFailure) -> Event {
        while let event = try event(by: deadline) {
            try check(event)
            switch event {
            case .message(let message, _): return .message(message)
            case .ping: try send(ClientLine.pong)
            case .pong: return .pong
            case .info(let newer): info.adopt(newer)
            case .ok, .error: continue
            }
        }
        return .timeout
    }

    private func check(_ event: ServerEvent) throws(CommandFailure) {
        guard case .error(let text) = event else { return }
        throw CommandFailure(description: "server error: '\(text.printable)'")
    }

    /// Nil when the time is up.
    private func event(by deadline: Deadline) throws(CommandFailure) -> ServerEvent? {
        while true {
            do throws(ServerProtocolViolation) {
                if let event = try input.next() { return event }
            } catch {
                throw .noConnection("\(url.address) is no NATS server: it sent \(error)")
            }
            switch input.fill({ socket.receive(into: &$0, deadline: deadline) }) {
            case .bytes: continue
            case .timeout: return nil
            case .closed: throw .noConnection("connection closed by \(url.address)")
            }
        }
    }
}
