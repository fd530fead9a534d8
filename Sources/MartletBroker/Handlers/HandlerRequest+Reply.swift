extension HandlerRequest {
    /// Whether a reply was sent.
    public var isAnswered: Bool { exchange.hasReplied }

    /// Answers with these bytes. A request has one answer: a second one throws `BrokerError` with the code
    /// `.alreadyReplied`, and one that is larger than the broker takes throws `.payloadTooLarge`. Nothing is
    /// sent when nobody expects an answer.
    ///
    /// The bytes are copied once, into the pipe to the broker. When it is full, this waits.
    public func reply(
        _ bytes: borrowing RawSpan, headers: InProcessHeaders = [:]
    ) throws(BrokerError) {
        let header = try headers.encoded()
        let failure: BrokerError? = unsafe bytes.withUnsafeBytes { payload in
            unsafe header.withUnsafeBytes { header in
                do throws(BrokerError) {
                    unsafe try send(header, payload)
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
    }

    public func reply(_ bytes: [UInt8] = [], headers: InProcessHeaders = [:]) throws(BrokerError) {
        unsafe try reply(bytes.span.bytes, headers: headers)
    }

    public func reply(_ text: String, headers: InProcessHeaders = [:]) throws(BrokerError) {
        unsafe try reply(text.utf8Span.span.bytes, headers: headers)
    }

    /// Answers with what `body` writes, in a buffer that serves one reply after another.
    ///
    /// ```swift
    /// try request.reply { $0.write("{\"price\":"); $0.write(price); $0.write("}") }
    /// ```
    public func reply(
        headers: InProcessHeaders = [:], _ body: (inout HandlerWriter) throws -> Void
    ) throws {
        var writer = HandlerWriter(exchange.takeWriter())
        defer { exchange.giveBack(writer.take()) }
        try body(&writer)
        try reply(writer.bytes, headers: headers)
    }

    /// Answers with an error; throwing it has the same effect.
    public func fail(_ error: ServiceError) throws(BrokerError) {
        let failure: BrokerError? = unsafe error.header.withUnsafeBytes { header in
            unsafe error.body.withUnsafeBytes { body in
                do throws(BrokerError) {
                    // A broker without headers takes none: the body is all there is.
                    let header =
                        unsafe exchange.outlet.hasHeaders ? header : .init(rebasing: header[..<0])
                    unsafe try send(header, body)
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
    }

    private func send(
        _ header: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer
    ) throws(BrokerError) {
        let outlet = exchange.outlet
        guard !exchange.hasReplied else {
            throw BrokerError(.alreadyReplied, "the request has its reply already")
        }
        try outlet.check(headerBytes: header.count, payloadBytes: payload.count)
        exchange.hasReplied = true
        guard unsafe outlet.canReply(to: replyBytes.count) else { return }
        unsafe outlet.send(to: replyBytes, header: header, payload: payload)
    }
}
