extension InProcessClient {
    /// Sends a request and returns the first answer. All requests of a client share one subscription.
    ///
    /// Throws `.noResponders` when nobody subscribes to the subject, `.timeout` when no answer came in
    /// time, and `.cancelled` when the task was cancelled.
    public func request(
        _ payload: some Sequence<UInt8>, to subject: String, headers: InProcessHeaders = [:],
        timeout: Duration = .seconds(5)
    ) async throws(BrokerError) -> InProcessMessage {
        try await connection.openInbox()
        let (token, answer) = try connection.addRequest()
        defer { connection.removeRequest(token) }
        let reply = connection.inboxPrefix + String(token, radix: 36)
        try await connection.send(frame([UInt8](payload), subject, reply, headers))
        let message = try await answer.wait(atMost: timeout) {
            BrokerError(.timeout, "no answer to a request to \"\(subject)\" in \(timeout)")
        }
        guard message.status == 503, message.payload.isEmpty else { return message }
        throw BrokerError(.noResponders, "nobody answers requests to \"\(subject)\"")
    }

    /// The same with a payload of UTF-8.
    public func request(
        _ text: String, to subject: String, headers: InProcessHeaders = [:],
        timeout: Duration = .seconds(5)
    ) async throws(BrokerError) -> InProcessMessage {
        try await request(text.utf8, to: subject, headers: headers, timeout: timeout)
    }
}

extension InProcessConnection {
    func addSubscription(_ buffer: InProcessBuffer) throws(BrokerError) -> UInt64 {
        try state.withLock { state throws(BrokerError) in
            if let end = state.end { throw end }
            guard !state.isDraining else {
                throw BrokerError(.connectionClosed, "the client is being drained")
            }
            state.lastID += 1
            state.buffers[state.lastID] = buffer
            return state.lastID
        }
    }

    /// The subscription that all answers come to. It needs no waiting: it stands before the first
    /// request on the wire.
    func openInbox() async throws(BrokerError) {
        let id = state.withLock { state -> UInt64? in
            guard state.inboxID == 0 else { return nil }
            state.lastID += 1
            state.inboxID = state.lastID
            return state.lastID
        }
        guard let id else { return try await inboxIsOpen.wait() }
        do {
            try await sendAndWait(
                ClientLine.subscribe("\(inboxPrefix)*", id: id), subscribes: true)
            inboxIsOpen.resolve(.success(()))
        } catch {
            inboxIsOpen.resolve(.failure(error))
            throw error
        }
    }

    func addRequest() throws(BrokerError) -> (UInt64, InProcessAnswer<InProcessMessage>) {
        let answer = InProcessAnswer<InProcessMessage>()
        let token = try state.withLock { state throws(BrokerError) in
            if let end = state.end { throw end }
            state.lastRequest += 1
            state.requests[state.lastRequest] = answer
            return state.lastRequest
        }
        return (token, answer)
    }

    func removeRequest(_ token: UInt64) {
        _ = state.withLock { $0.requests.removeValue(forKey: token) }
    }

    /// A longer control line would cost the connection.
    func check(lineOf count: Int) throws(BrokerError) {
        guard count <= controlLineBytesMax else {
            throw BrokerError(
                .subject,
                "the subjects are longer than a control line of \(controlLineBytesMax) bytes")
        }
    }
}
