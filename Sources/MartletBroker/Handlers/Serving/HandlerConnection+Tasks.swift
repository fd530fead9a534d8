import Synchronization

/// Asynchronous handlers: each request is a task of its own, and so many at once.
extension HandlerConnection {
    var hasRoomInFlight: Bool {
        guard case .waiting(let inFlightMax, _) = service.body else { return true }
        return inFlight.load(ordering: .sequentiallyConsistent) < inFlightMax
    }

    func start(
        _ frame: ServerFrame, _ bytes: Bytes,
        _ body: @escaping @Sendable (HandlerMessage) async throws -> HandlerReply?
    ) {
        let request = unsafe HandlerRequest(frame, in: bytes, exchange)
        let message = HandlerMessage(
            subject: request.subject, reply: request.replySubject, headers: request.headers,
            payload: request.payload)
        inFlight.wrappingAdd(1, ordering: .sequentiallyConsistent)
        service.start { [self] in
            await answer(message, body)
            inFlight.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            wake()
        }
    }

    private func answer(
        _ message: HandlerMessage,
        _ body: @Sendable (HandlerMessage) async throws -> HandlerReply?
    ) async {
        do {
            guard let reply = try await body(message) else { return }
            let header = try reply.headers.encoded()
            try outlet.check(headerBytes: header.count, payloadBytes: reply.payload.count)
            await send(header, reply.payload, to: message.reply)
        } catch {
            let answer = record(error)
            await send(outlet.hasHeaders ? answer.header : [], answer.body, to: message.reply)
        }
    }

    /// Waits for room without holding a thread.
    private func send(_ header: [UInt8], _ payload: [UInt8], to subject: String?) async {
        guard let subject, outlet.canReply(to: subject.utf8.count) else { return }
        let name = Array(subject.utf8)
        while !trySend(header, payload, to: name) {
            // A cancelled task does not sleep; it must not spin either.
            try? await Task.sleep(for: .milliseconds(1))
            await Task.yield()
        }
    }

    private func trySend(_ header: [UInt8], _ payload: [UInt8], to name: [UInt8]) -> Bool {
        unsafe name.withUnsafeBytes { name in
            unsafe header.withUnsafeBytes { header in
                unsafe payload.withUnsafeBytes { payload in
                    unsafe outlet.send(to: name, header: header, payload: payload, waits: false)
                }
            }
        }
    }
}
