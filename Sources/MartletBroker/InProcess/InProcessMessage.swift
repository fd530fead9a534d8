/// A message that a client in this process received.
public struct InProcessMessage: Sendable, Equatable {
    public var subject: String
    /// Where an answer is expected, if one is.
    public var reply: String?
    public var headers: InProcessHeaders
    /// The status of a message from the broker itself, for example 503.
    public var status: Int?
    public var payload: [UInt8]

    public init(
        subject: String, reply: String? = nil, headers: InProcessHeaders = [:], status: Int? = nil,
        payload: [UInt8] = []
    ) {
        self.subject = subject
        self.reply = reply
        self.headers = headers
        self.status = status
        self.payload = payload
    }

    /// The payload as UTF-8; what is not UTF-8 is replaced.
    public var text: String { String(decoding: payload, as: UTF8.self) }
}
