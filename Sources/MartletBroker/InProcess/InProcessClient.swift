/// A client of a broker in the same process: the NATS protocol without a socket.
///
/// ```swift
/// let client = try await broker.connect(name: "prices")
/// let quotes = try await client.subscribe("quote.*")
/// try await client.publish("42", to: "quote.ACME")
/// ```
///
/// The broker treats it as any client: it authenticates where that is required, has the limits of a
/// connection, counts in `connectionsMax`, and shows in /connz. The pipe between them holds up to 1 MiB
/// each way besides what `memoryBytesMax` covers. When the last reference to it and to its
/// subscriptions has gone, it closes.
public final class InProcessClient: Sendable {
    let connection: InProcessConnection

    init(_ connection: InProcessConnection) {
        self.connection = connection
    }

    deinit {
        connection.close()
    }

    // MARK: Publishing

    /// Publishes; waits while the pipe to the broker is full. Returns when the broker can read the message,
    /// not when it has: `flush()` waits for that, and throws what the broker had against it.
    ///
    /// Throws `.subject`, `.header` or `.payloadTooLarge` for what no broker takes, and the reason that
    /// the client is closed for when it is.
    public func publish(
        _ payload: some Sequence<UInt8>, to subject: String, reply: String? = nil,
        headers: InProcessHeaders = [:]
    ) async throws(BrokerError) {
        try await connection.send(frame([UInt8](payload), subject, reply, headers))
    }

    /// The same with a payload of UTF-8.
    public func publish(
        _ text: String, to subject: String, reply: String? = nil, headers: InProcessHeaders = [:]
    ) async throws(BrokerError) {
        try await publish(text.utf8, to: subject, reply: reply, headers: headers)
    }

    func frame(
        _ payload: [UInt8], _ subject: String, _ reply: String?, _ headers: InProcessHeaders
    ) throws(BrokerError) -> [UInt8] {
        try SubjectCheck.forPublish(subject)
        if let reply { try SubjectCheck.forPublish(reply) }
        let header = try headers.encoded()
        guard header.isEmpty || connection.takesHeaders else {
            throw BrokerError(.header, "the broker is configured without headers")
        }
        let total = header.count + payload.count
        let payloadBytesMax = connection.payloadBytesMax
        guard total <= payloadBytesMax else {
            throw BrokerError(
                .payloadTooLarge, "\(total) bytes are more than the \(payloadBytesMax) of a message"
            )
        }
        let frame = PublishFrame.bytes(
            subject: subject, reply: reply, header: header, payload: payload)
        try connection.check(lineOf: frame.count - total - 2)
        return frame
    }

    // MARK: Subscribing

    /// Subscribes. When this returns, every message that is published from now on, by whomever,
    /// reaches the subscription. Throws `.subject` for what cannot be subscribed to, and `.permission`
    /// when the broker refuses it.
    ///
    /// - Parameter queue: of those who subscribe with the same queue name, one gets each message.
    public func subscribe(
        _ subject: String, queue: String? = nil,
        limits: InProcessSubscription.Limits = InProcessSubscription.Limits()
    ) async throws(BrokerError) -> InProcessSubscription {
        try SubjectCheck.forSubscription(subject)
        if let queue { try SubjectCheck.forQueue(queue) }
        let buffer = InProcessBuffer(limits)
        let id = try connection.addSubscription(buffer)
        let line = ClientLine.subscribe(subject, queue: queue, id: id)
        do {
            try connection.check(lineOf: line.utf8.count)
            try await connection.sendAndWait(line, subscribes: true)
        } catch {
            _ = connection.remove(id)
            throw error
        }
        return InProcessSubscription(
            subject: subject, queue: queue, id: id, buffer: buffer, client: self)
    }

    // MARK: Flushing and the end

    /// Returns when the broker has dealt with all that was sent before. Throws the first error that the
    /// broker has answered since the last flush, for example a publish that is not permitted.
    public func flush() async throws(BrokerError) {
        try await connection.sendAndWait("")
        let untold = connection.state.withLock { $0.untoldError.take() }
        if let untold { throw untold }
    }

    /// Ends in an orderly way: unsubscribes all, lets those who iterate see the end, and closes when
    /// what they published is with the broker. Throws `.timeout` when that takes too long; the client
    /// is closed then too.
    public func drain(timeout: Duration = .seconds(30)) async throws(BrokerError) {
        defer { connection.close() }
        let buffers = connection.state.withLock { state in
            state.isDraining = true
            return state.buffers
        }
        let lines = buffers.keys.sorted().map { ClientLine.unsubscribe($0) }.joined()
        let isDrained = InProcessAnswer<Void>()
        let work = Task { [connection] in
            do throws(BrokerError) {
                try await connection.sendAndWait(lines)
                for (id, buffer) in buffers {
                    _ = connection.remove(id)
                    buffer.finish()
                }
                for buffer in buffers.values { try await buffer.wasConsumed.wait() }
                try await connection.sendAndWait("")
                isDrained.resolve(.success(()))
            } catch {
                isDrained.resolve(.failure(error))
            }
        }
        defer { work.cancel() }
        try await isDrained.wait(atMost: timeout) {
            BrokerError(.timeout, "the subscriptions were not drained in \(timeout)")
        }
    }

    /// Closes at once: iterations end, and requests under way fail. The broker still reads what was sent.
    public func close() { connection.close() }
}
