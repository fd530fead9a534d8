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

/// Why a test's client could not go on.
public enum ClientFailure: Error {
    case connect(code: Int32)
    case timeout(waitingFor: String, having: String)
    case closed(waitingFor: String, having: String)
    case send(code: Int32)
}
