public import MartletRules

extension Broker {
    /// Answers requests with a closure in this process.
    ///
    /// ```swift
    /// let quotes = try broker.respond(to: "quote.*", queue: "quotes", fields: ["/amount"]) { request in
    ///     guard let amount = try request.integer("/amount") else {
    ///         throw ServiceError(code: 422, description: "/amount must be a whole number")
    ///     }
    ///     try request.reply("{\"total\":\(amount * 3)}")
    /// }
    /// ```
    ///
    /// The closure runs on a thread of the broker's pool for handlers, never on a loop, with the request
    /// where it lies in memory. It answers with one of the `reply` methods, or not at all: then whoever
    /// asked waits in vain. An error that it throws is answered as NATS services do: a `ServiceError` with
    /// its code and description, any other with 500 and nothing of what it says, which is logged. A closure
    /// that traps ends the process.
    ///
    /// Requests of one publisher are answered in order when `concurrency` is 1. Publishers wait while a
    /// handler is behind; when nothing moves for half a second, further requests are answered with 503,
    /// "handler busy", until it goes on.
    ///
    /// Works between `start()` and `stop()`, and throws `.notRunning` otherwise. It lasts until the
    /// registration is cancelled or the broker stops, whether anybody keeps the registration or not.
    ///
    /// - Parameters:
    ///   - queue: of all who subscribe with the same queue name, one gets each request.
    ///   - concurrency: how many requests are answered at once, each on a thread of its own.
    ///   - fields: JSON Pointers to what the closure reads with `string(_:)`, `integer(_:)` and so on.
    ///   - jsonLimits: how much JSON a payload may hold.
    ///   - credentials: needed where the configuration asks clients for them.
    @discardableResult
    public func respond(
        to subject: String, queue: String? = nil, concurrency: Int = 1, fields: [String] = [],
        jsonLimits: JSONLimits = JSONLimits(), credentials: InProcessCredentials? = nil,
        _ handler: @escaping @Sendable (borrowing HandlerRequest) throws -> Void
    ) throws(BrokerError) -> HandlerRegistration {
        precondition(concurrency > 0, "a handler answers at least one request at a time")
        let group =
            queue ?? (concurrency > 1 ? "handlers-\(UInt64.random(in: .min ... .max))" : nil)
        let service = HandlerService(
            subject: subject, queue: group, fields: fields, jsonLimits: jsonLimits,
            credentials: credentials, logger: handlers.logger, body: .blocking(handler))
        return try open(service, connections: concurrency)
    }

    /// Answers requests with a closure that waits for something, for example another service.
    ///
    /// ```swift
    /// try broker.respond(to: "orders.status", queue: "orders") { message in
    ///     HandlerReply(try await database.status(of: message.text))
    /// }
    /// ```
    ///
    /// Each request is copied and gets a task of its own, so answers may come in another order than requests.
    /// Returning nil leaves a request unanswered. Otherwise as with closures that do not wait.
    ///
    /// - Parameter inFlightMax: tasks at once; at this many, no more requests are read.
    @discardableResult
    public func respond(
        to subject: String, queue: String? = nil, inFlightMax: Int = 1_024,
        credentials: InProcessCredentials? = nil,
        _ handler: @escaping @Sendable (HandlerMessage) async throws -> HandlerReply?
    ) throws(BrokerError) -> HandlerRegistration {
        precondition(inFlightMax > 0, "a handler answers at least one request at a time")
        let service = HandlerService(
            subject: subject, queue: queue, fields: [], jsonLimits: JSONLimits(),
            credentials: credentials, logger: handlers.logger,
            body: .waiting(inFlightMax: inFlightMax, handler))
        return try open(service, connections: 1)
    }

    /// A handler of the broker's own, in an account where nobody gives it credentials.
    @discardableResult
    package func respond(
        to subject: String, inAccount account: String, inFlightMax: Int = 1_024,
        _ handler: @escaping @Sendable (HandlerMessage) async throws -> HandlerReply?
    ) throws(BrokerError) -> HandlerRegistration {
        let service = HandlerService(
            subject: subject, queue: nil, fields: [], jsonLimits: JSONLimits(), credentials: nil,
            peer: .system(shared.accounts.account(named: account)), logger: handlers.logger,
            body: .waiting(inFlightMax: inFlightMax, handler))
        return try open(service, connections: 1)
    }

    private func open(
        _ service: HandlerService, connections: Int
    ) throws(BrokerError) -> HandlerRegistration {
        try SubjectCheck.forSubscription(service.subject)
        if let queue = service.queue { try SubjectCheck.forQueue(queue) }
        let lineCount = service.subject.utf8.count + (service.queue?.utf8.count ?? 0) + 16
        guard lineCount <= configuration.limits.controlLineBytesMax else {
            throw BrokerError(.subject, "the subject is longer than a control line")
        }
        do throws(BrokerError) {
            for _ in 0..<connections {
                _ = service.add(try HandlerConnection.open(service, on: self))
            }
        } catch {
            service.cancel()
            throw error
        }
        handlers.add(service)
        return HandlerRegistration(service)
    }
}
