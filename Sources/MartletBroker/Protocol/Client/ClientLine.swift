/// The lines that a client writes, each with its end. PUB and HPUB are `PublishFrame`.
package enum ClientLine {
    package static var ping: String { "PING\r\n" }
    package static var pong: String { "PONG\r\n" }

    package static func connect(_ request: ConnectRequest) -> String {
        "CONNECT \(request.json)\r\n"
    }

    package static func subscribe(_ subject: String, queue: String? = nil, id: UInt64) -> String {
        if let queue { return "SUB \(subject) \(queue) \(id)\r\n" }
        return "SUB \(subject) \(id)\r\n"
    }

    /// At once, or when this many messages have come since the SUB.
    package static func unsubscribe(_ id: UInt64, after messagesMax: Int? = nil) -> String {
        if let messagesMax { return "UNSUB \(id) \(messagesMax)\r\n" }
        return "UNSUB \(id)\r\n"
    }
}
