/// A failure that a handler tells whoever asks, as NATS services do: the reply carries the headers
/// `Nats-Service-Error` and `Nats-Service-Error-Code`.
///
/// ```swift
/// throw ServiceError(code: 422, description: "/total must be >= 0")
/// ```
public struct ServiceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// As in HTTP: 4xx for what the asking side did wrong, 5xx for the rest.
    public var code: Int
    /// One line; line breaks and control characters are sent as spaces.
    public var description: String
    /// The reply's payload, for details that programs read.
    public var body: [UInt8]

    /// Throw it, or give it to `HandlerRequest.fail(_:)`.
    public init(code: Int, description: String, body: [UInt8] = []) {
        self.code = code
        self.description = description
        self.body = body
    }

    /// What is sent for errors that are not for others to read.
    static let unexpected = ServiceError(code: 500, description: "internal error")
    /// What is sent for requests that a handler does not get to.
    static let busy = ServiceError(code: 503, description: "handler busy")

    /// The header block of the reply.
    var header: [UInt8] {
        var writer = HandlerWriter([])
        writeHeader(to: &writer)
        return writer.take()
    }

    func writeHeader(to writer: inout HandlerWriter) {
        writer.write("NATS/1.0\r\nNats-Service-Error: ")
        for byte in description.utf8 {
            writer.write(byte: byte < .space || byte == 0x7F ? .space : byte)
        }
        writer.write("\r\nNats-Service-Error-Code: ")
        writer.write(code)
        writer.write("\r\n\r\n")
    }
}

extension BrokerError.Code {
    /// A handler replied to a request a second time.
    public static let alreadyReplied = BrokerError.Code(name: "already replied")
    /// A handler asked for a field that it did not name when it was added.
    public static let unknownField = BrokerError.Code(name: "unknown field")
}
