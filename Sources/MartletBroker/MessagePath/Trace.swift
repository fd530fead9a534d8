// Message path, beside Dispatch.swift: what a client sent and what it gets, in the log (`trace`). Off, it
// costs nothing but a look at flags that are looked at anyway.

extension BrokerLoop {
    @inline(never)
    func trace(_ connection: ConnectionRef, _ operation: Operation) {
        traceLine(connection, operation)
        // A large payload is not here yet.
        guard operation.verb == .publish || operation.verb == .publishWithHeader,
            operation.totalBytes < Self.largePayloadBytes
        else { return }
        tracePayload(
            .received, connection,
            unsafe CountedBytes(input + operation.payloadStart, operation.totalBytes))
    }

    /// An operation that ends its connection, if its line has come to its end.
    @inline(never)
    func trace(
        _ connection: ConnectionRef, refused operation: Operation, _ violation: ProtocolViolation
    ) {
        guard !operation.argument.isEmpty, violation != .controlLineTooLong else { return }
        traceLine(connection, operation)
    }

    private func traceLine(_ connection: ConnectionRef, _ operation: Operation) {
        let argument = unsafe text(input.at(operation.argument), operation.argument.length)
        func received(_ verb: String, _ argument: String? = nil) {
            record(.traced(.received, verb: verb, argument: argument), of: connection)
        }
        switch operation.verb {
        case .publish: received("PUB", argument)
        case .publishWithHeader: received("HPUB", argument)
        case .subscribe: received("SUB", argument)
        case .unsubscribe: received("UNSUB", argument)
        case .ping: received("PING")
        case .pong: received("PONG")
        case .connect:
            received(
                "CONNECT",
                unsafe ConnectOptions.traced(
                    input.at(operation.argument), operation.argument.length))
        case .info, .ignored, .error: break
        }
    }

    /// A message whose payload was read apart: its line from the subject on, and the payload.
    @inline(never)
    func traceLarge(_ connection: ConnectionRef, _ payload: PayloadRef) {
        traceLargeLine(connection)
        tracePayload(
            .received, connection,
            unsafe CountedBytes(
                PayloadBuffer.bytes(payload), connection.pointee.payloadLine.operation.totalBytes))
    }

    @inline(never)
    func traceLargeLine(_ connection: ConnectionRef) {
        guard let line = unsafe connection.pointee.payloadLine.bytes else { return }
        let operation = connection.pointee.payloadLine.operation
        var argument = unsafe text(line, operation.payloadStart)
        while argument.last?.isNewline == true { argument.removeLast() }
        let verb = operation.verb == .publish ? "PUB" : "HPUB"
        record(.traced(.received, verb: verb, argument: argument), of: connection)
    }

    private func tracePayload(
        _ direction: TraceDirection, _ connection: ConnectionRef, _ payload: CountedBytes
    ) {
        guard !payload.isEmpty else { return }
        let limit = state.pointee.settings.tracedMessageBytesMax
        let shown = limit > 0 ? min(limit, payload.count) : payload.count
        let bytes = unsafe Array(UnsafeBufferPointer(start: payload.start, count: shown))
        record(.tracedPayload(direction, bytes, isWhole: shown == payload.count), of: connection)
    }

    // MARK: What it gets

    @inline(never)
    func traceSent(_ connection: ConnectionRef, _ verb: String, _ argument: String? = nil) {
        record(.traced(.sent, verb: verb, argument: argument), of: connection)
    }

    /// The whole line of an -ERR.
    @inline(never)
    func traceSent(_ connection: ConnectionRef, error line: CountedBytes) {
        traceSent(connection, "-ERR", text(line.dropFirst(6).prefix(line.count - 9)))
    }

    /// +OK, PING or PONG.
    @inline(never)
    func traceSent(_ connection: ConnectionRef, line: StaticString) {
        traceSent(connection, "\(line)".filter(\.isLetter))
    }

    /// A message that was put into its queue.
    @inline(never)
    func traceDelivery(
        _ message: Message, for subscription: SubscriptionRef, on connection: ConnectionRef
    ) {
        let hasHeader =
            message.headerBytes > 0 && connection.pointee.flags.contains(.headers)
        let content =
            hasHeader || message.headerBytes <= 0
            ? message.content : message.content.dropFirst(message.headerBytes)
        var line = "\(text(message.subject)) \(sid(of: subscription))"
        if message.replyCount > 0 { line += " \(text(message.reply))" }
        if hasHeader { line += " \(message.headerBytes)" }
        traceSent(connection, hasHeader ? "HMSG" : "MSG", "\(line) \(content.count)")
        tracePayload(.sent, connection, content)
    }

    /// A 503.
    @inline(never)
    func traceNoResponders(
        _ reply: CountedBytes, _ headerBytes: Int, for subscription: SubscriptionRef,
        on connection: ConnectionRef
    ) {
        traceSent(
            connection, "HMSG",
            "\(text(reply)) \(sid(of: subscription)) \(headerBytes) \(headerBytes)")
    }

    private func sid(of subscription: SubscriptionRef) -> String {
        unsafe text(
            subscription.pointee.spacedSID + 1, Int(subscription.pointee.spacedSIDCount) - 2)
    }
}
