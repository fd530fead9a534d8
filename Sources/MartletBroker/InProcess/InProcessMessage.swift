/// A message that a client in this process received.
public struct InProcessMessage: Sendable, Equatable {
    /// What it was published to.
    public var subject: String
    /// Where an answer is expected, if one is.
    public var reply: String?
    /// Empty without a header block.
    public var headers: InProcessHeaders
    /// The status of a message from the broker itself, for example 503.
    public var status: Int?
    /// Without the headers.
    public var payload: [UInt8]

    /// For tests of what works with messages.
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
