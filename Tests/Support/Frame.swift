/// One thing that a broker sends.
public enum Frame: Sendable, Equatable {
    case message(Message)
    case info(String)
    case ping
    case pong
    case ok
    case error(String)

    public struct Message: Sendable, Equatable {
        public var subject: String
        public var sid: String
        public var reply: String?
        /// The header block; empty without one.
        public var header: String
        public var payload: [UInt8]

        public init(
            subject: String, sid: String, reply: String? = nil, header: String = "", text: String
        ) {
            self.subject = subject
            self.sid = sid
            self.reply = reply
            self.header = header
            payload = Array(text.utf8)
        }

        public var text: String { String(decoding: payload, as: UTF8.self) }
        /// A status line without payload: no responders.
        public var isNoResponders: Bool { header.hasPrefix("NATS/1.0 503") }
    }

    public var message: Message? {
        if case .message(let message) = self { message } else { nil }
    }
}

/// Bytes that no broker may send.
public struct MalformedFrame: Error {
    public let line: String
}

/// `PUB subject reply size` and the payload.
public func pub(_ subject: String, _ payload: String, reply: String? = nil) -> String {
    "PUB \(subject) \(reply.map { $0 + " " } ?? "")\(payload.utf8.count)\r\n\(payload)\r\n"
}

/// A message of a size that says nothing.
public func pub(_ subject: String, bytes: Int) -> String {
    pub(subject, String(repeating: "x", count: bytes))
}

/// A message with a header block of these lines.
public func hpub(
    _ subject: String, _ header: String, _ payload: String, reply: String? = nil
) -> String {
    let block = "NATS/1.0\r\n\(header)\r\n\r\n"
    let total = block.utf8.count + payload.utf8.count
    return "HPUB \(subject) \(reply.map { $0 + " " } ?? "")\(block.utf8.count) \(total)\r\n"
        + "\(block)\(payload)\r\n"
}
