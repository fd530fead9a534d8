/// What a server says to a client, copied for those who keep it.
package enum ServerEvent: Equatable, Sendable {
    case message(InProcessMessage, subscriptionID: UInt64)
    case info(ReceivedInfo)
    case ping
    case pong
    case ok
    /// The text of an -ERR, without its quotes.
    case error(String)

    init(_ frame: ServerFrame, in bytes: Bytes) throws(ServerProtocolViolation) {
        switch frame.kind {
        case .message:
            let message = unsafe InProcessMessage(frame, in: bytes)
            self = .message(message, subscriptionID: frame.subscriptionID)
        case .info:
            self = .info(unsafe try ReceivedInfo(bytes.at(frame.payload), frame.payload.length))
        case .ping: self = .ping
        case .pong: self = .pong
        case .ok: self = .ok
        case .error:
            self = .error(unsafe Self.text(frame.payload, in: bytes))
        }
    }

    static func text(_ range: ByteRange, in bytes: Bytes) -> String {
        unsafe MartletBroker.text(bytes.at(range), range.length)
    }
}

extension InProcessMessage {
    init(_ frame: ServerFrame, in bytes: Bytes) {
        let header = unsafe UnsafeBufferPointer(
            start: bytes.at(frame.header), count: frame.header.length)
        let payload = unsafe UnsafeBufferPointer(
            start: bytes.at(frame.payload), count: frame.payload.length)
        let (headers, status) = unsafe InProcessHeaders.parse(Array(header))
        self.init(
            subject: unsafe ServerEvent.text(frame.subject, in: bytes),
            reply: frame.reply.isEmpty ? nil : unsafe ServerEvent.text(frame.reply, in: bytes),
            headers: headers, status: status, payload: unsafe Array(payload))
    }
}

extension ServerInput {
    /// The next whole event; nil when more bytes are needed.
    package func next() throws(ServerProtocolViolation) -> ServerEvent? {
        var event: Result<ServerEvent, ServerProtocolViolation>?
        let end = unsafe visit { frame, bytes in
            do throws(ServerProtocolViolation) {
                event = .success(unsafe try ServerEvent(frame, in: bytes))
            } catch {
                event = .failure(error)
            }
            return false
        }
        if case .violation(let violation) = end { throw violation }
        return try event?.get()
    }
}
