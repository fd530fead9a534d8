/// A request that an asynchronous handler gets: copied, so that it can be kept.
public typealias HandlerMessage = InProcessMessage

/// What an asynchronous handler answers.
public struct HandlerReply: Sendable, Equatable, ExpressibleByStringLiteral {
    /// Without the headers.
    public var payload: [UInt8]
    /// None: the reply has no header block.
    public var headers: InProcessHeaders

    /// Of bytes.
    public init(_ payload: [UInt8] = [], headers: InProcessHeaders = [:]) {
        self.payload = payload
        self.headers = headers
    }

    /// Of UTF-8.
    public init(_ text: String, headers: InProcessHeaders = [:]) {
        self.init(Array(text.utf8), headers: headers)
    }

    /// Of UTF-8, without headers.
    public init(stringLiteral text: String) {
        self.init(text)
    }
}
