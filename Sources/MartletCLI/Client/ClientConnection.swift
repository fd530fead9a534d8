import FoundationEssentials
import MartletBroker

/// A connection to a server for one command: blocking, one thread, no reconnect.
final class ClientConnection {
    enum Event {
        case message(ClientMessage)
        case pong
        case timeout
    }

    private static let lineBytesMax = 1 << 20
    private static let writeSeconds = 30.0

    private let socket: ClientSocket
    private let url: ServerURL
    private(set) var payloadBytesMax = 1 << 20
    private(set) var supportsHeaders = false

    /// Connects and authenticates; the server has accepted the client when this returns.
    init(_ url: ServerURL, name: String, timeoutSeconds: Double = 5) throws(CommandFailure) {
        self.url = url
        let deadline = Deadline.after(seconds: timeoutSeconds)
        socket = try ClientSocket(url.address, deadline: deadline)
        try readInfo(deadline)
        try send("CONNECT \(try connectOptions(name))\r\nPING\r\n")
        guard case .pong = try next(deadline: deadline) else {
            throw CommandFailure(description: "\(url.address) did not accept the client in time")
        }
    }

    func publish(
        _ subject: String, reply: String? = nil, headers: [ClientHeader] = [], payload: [UInt8]
    ) throws(CommandFailure) {
        try SubjectCheck.publish(subject)
        let block = headers.isEmpty ? [] : ClientHeader.block(headers)
        guard headers.isEmpty || supportsHeaders else {
            throw CommandFailure(description: "the server does not take headers")
        }
        let byteCount = block.count + payload.count
        guard byteCount <= payloadBytesMax else {
            throw CommandFailure(
                description: "the message has \(byteCount) bytes, the server takes "
                    + "\(payloadBytesMax)")
        }
        let replyPart = reply.map { " \($0)" } ?? ""
        let line =
            headers.isEmpty
            ? "PUB \(subject)\(replyPart) \(byteCount)\r\n"
            : "HPUB \(subject)\(replyPart) \(block.count) \(byteCount)\r\n"
        try send(Array(line.utf8) + block + payload + [13, 10])
    }

    func subscribe(
        _ subject: String, queue: String? = nil, sid: Int, messagesMax: Int? = nil
    ) throws(CommandFailure) {
        try SubjectCheck.subscribe(subject)
        if let queue { try SubjectCheck.queue(queue) }
        var text = "SUB \(subject) \(queue.map { "\($0) " } ?? "")\(sid)\r\n"
        if let messagesMax { text += "UNSUB \(sid) \(messagesMax)\r\n" }
        try send(text)
    }

    /// Returns when the server has handled everything that was sent; messages are thrown away.
    func flush(timeoutSeconds: Double = 10) throws(CommandFailure) {
        try send("PING\r\n")
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
        while true {
            let line: String
            switch socket.readLine(bytesMax: Self.lineBytesMax, deadline: deadline) {
            case .timeout: return .timeout
            case .line(let bytes): line = String(decoding: bytes, as: UTF8.self)
            case .closed, .bytes:
                throw CommandFailure(description: "connection closed by \(url.address)")
            }
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            switch words.first?.uppercased() {
            case "MSG": return .message(try readMessage(words, hasHeader: false))
            case "HMSG": return .message(try readMessage(words, hasHeader: true))
            case "PING": try send("PONG\r\n")
            case "PONG": return .pong
            case "-ERR":
                let reason = line.dropFirst(4).trimmed
                throw CommandFailure(description: "server error: \(reason)")
            case "INFO", "+OK": continue
            default: throw CommandFailure(description: "\(url.address) is no NATS server")
            }
        }
    }

    private func readMessage(
        _ words: [String], hasHeader: Bool
    ) throws(CommandFailure) -> ClientMessage {
        let sizeCount = hasHeader ? 2 : 1
        let sizes = words.suffix(sizeCount).compactMap { Int($0) }
        let fieldCount = words.count - sizeCount
        guard fieldCount == 3 || fieldCount == 4, sizes.count == sizeCount,
            let total = sizes.last, (sizes[0]...1 << 30).contains(total), sizes[0] >= 0
        else { throw CommandFailure(description: "malformed message from \(url.address)") }
        let deadline = Deadline.after(seconds: Self.writeSeconds)
        guard case .bytes(let bytes) = socket.readBytes(total + 2, deadline: deadline) else {
            throw CommandFailure(description: "connection lost in the middle of a message")
        }
        let headerCount = hasHeader ? sizes[0] : 0
        let (status, headers) = ClientHeader.parse(bytes[..<headerCount])
        return ClientMessage(
            subject: words[1], reply: fieldCount == 4 ? words[3] : nil, status: status,
            headers: headers, payload: Array(bytes[headerCount..<total]))
    }

    private func readInfo(_ deadline: Deadline) throws(CommandFailure) {
        struct Info: Decodable {
            var max_payload: Int?
            var headers: Bool?
            var tls_required: Bool?
        }
        switch socket.readLine(bytesMax: Self.lineBytesMax, deadline: deadline) {
        case .line(let line) where line.starts(with: "INFO ".utf8):
            guard let info = try? JSONDecoder().decode(Info.self, from: Data(line.dropFirst(5)))
            else { fallthrough }
            guard info.tls_required != true else {
                throw CommandFailure(
                    description: "\(url.address) wants TLS, which is not supported")
            }
            payloadBytesMax = info.max_payload ?? payloadBytesMax
            supportsHeaders = info.headers ?? false
        case .line, .bytes:
            throw CommandFailure(description: "\(url.address) is no NATS server")
        case .timeout:
            throw CommandFailure(description: "no greeting from \(url.address) in time")
        case .closed:
            throw CommandFailure(description: "connection closed by \(url.address)")
        }
    }

    private func connectOptions(_ name: String) throws(CommandFailure) -> String {
        struct Options: Encodable {
            let verbose = false
            let pedantic = false
            let lang = "swift"
            let version = Broker.version
            let `protocol` = 1
            let headers: Bool
            let no_responders: Bool
            let name: String
            let user: String?
            let pass: String?
            let auth_token: String?
        }
        let options = Options(
            headers: supportsHeaders, no_responders: supportsHeaders, name: name, user: url.user,
            pass: url.password, auth_token: url.token)
        guard let data = try? JSONEncoder().encode(options) else {
            throw CommandFailure(description: "the user or password cannot be sent")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private func send(_ text: String) throws(CommandFailure) { try send(Array(text.utf8)) }

    private func send(_ bytes: [UInt8]) throws(CommandFailure) {
        try socket.send(bytes, deadline: .after(seconds: Self.writeSeconds))
    }
}
