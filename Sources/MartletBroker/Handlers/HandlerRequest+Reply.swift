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
        var header = exchange.header.take()
        defer { exchange.header.giveBack(&header) }
        try headers.encode(into: &header)
        unsafe try send(header.span.bytes, bytes)
    }

    /// The same with an array.
    public func reply(_ bytes: [UInt8] = [], headers: InProcessHeaders = [:]) throws(BrokerError) {
        unsafe try reply(bytes.span.bytes, headers: headers)
    }

    /// The same with UTF-8.
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
        var writer = HandlerWriter(exchange.writer.take())
        defer { exchange.writer.giveBack(&writer.bytes) }
        try body(&writer)
        try reply(writer.bytes, headers: headers)
    }

    /// Answers with an error; throwing it has the same effect.
    public func fail(_ error: ServiceError) throws(BrokerError) {
        var writer = HandlerWriter(exchange.header.take())
        defer { exchange.header.giveBack(&writer.bytes) }
        // A broker without headers takes none: the body is all there is.
        if exchange.outlet.hasHeaders { error.writeHeader(to: &writer) }
        unsafe try send(writer.bytes.span.bytes, error.body.span.bytes)
    }

    private func send(
        _ header: borrowing RawSpan, _ payload: borrowing RawSpan
    ) throws(BrokerError) {
        unsafe try payload.withUnsafeBytes { payload throws(BrokerError) in
            unsafe try header.withUnsafeBytes { header throws(BrokerError) in
                unsafe try send(header, payload)
            }
        }
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
