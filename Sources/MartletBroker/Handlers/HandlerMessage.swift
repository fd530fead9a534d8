/// A request that an asynchronous handler gets: copied, so that it can be kept.
public typealias HandlerMessage = InProcessMessage

/// What an asynchronous handler answers.
public struct HandlerReply: Sendable, Equatable, ExpressibleByStringLiteral {
    public var payload: [UInt8]
    public var headers: InProcessHeaders

    public init(_ payload: [UInt8] = [], headers: InProcessHeaders = [:]) {
        self.payload = payload
        self.headers = headers
    }

    public init(_ text: String, headers: InProcessHeaders = [:]) {
        self.init(Array(text.utf8), headers: headers)
    }

    public init(stringLiteral text: String) {
        self.init(text)
    }
}
