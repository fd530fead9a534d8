import Synchronization

extension InProcessConnection {
    /// The connection's own task: reads until either side has closed.
    func read() async {
        var decoder = ClientProtocolDecoder()
        do throws(BrokerError) {
            while let bytes = pipe.peerReceive() {
                guard !bytes.isEmpty else {
                    await input.wait()
                    continue
                }
                decoder.append(bytes)
                while let event = try decoder.next() { await handle(event) }
            }
            finish(closedByBroker(), isFailure: true)
        } catch {
            finish(error, isFailure: true)
        }
    }

    func closedByBroker() -> BrokerError {
        guard let text = state.withLock({ $0.lastErrorText }) else {
            return BrokerError(.connectionClosed, "the broker closed the connection")
        }
        let code: BrokerError.Code =
            text.hasPrefix("Authori") || text.hasPrefix("Authentication")
            ? .authorization : .connectionClosed
        return BrokerError(code, "the broker closed the connection: \(text)")
    }

    private func handle(_ event: ClientProtocolEvent) async {
        switch event {
        case .message(let message): await deliver(message)
        case .info(let json): note(json)
        case .ok: break
        case .ping:
            // Not awaited: the reader must go on, or a full pipe could never drain.
            Task { try? await send(Array("PONG\r\n".utf8)) }
        case .pong:
            let fence = state.withLock { $0.fences.isEmpty ? nil : $0.fences.removeFirst() }
            fence?.answer.resolve(fence?.refusal.map { .failure($0) } ?? .success(()))
        case .error(let text): note(error: text)
        }
    }

    private func deliver(_ message: ClientProtocolMessage) async {
        let (request, buffer) = state.withLock { state in
            guard message.subscriptionID != state.inboxID else {
                let token = UInt64(message.subject.dropFirst(inboxPrefix.count), radix: 36)
                return (
                    token.flatMap { state.requests.removeValue(forKey: $0) },
                    nil as InProcessBuffer?
                )
            }
            return (nil, state.buffers[message.subscriptionID])
        }
        let received = InProcessMessage(message)
        request?.resolve(.success(received))
        guard let buffer else { return }
        if await buffer.append(received) { _ = remove(message.subscriptionID) }
    }

    /// INFO comes first, and again when something has changed.
    private func note(_ json: [UInt8]) {
        let members = unsafe json.withUnsafeBufferPointer { bytes -> [(String, JSONReader.Value)] in
            guard let start = bytes.baseAddress else { return [] }
            var reader = unsafe JSONReader(start, bytes.count)
            guard case .object(let members)? = reader.document() else { return [] }
            return members
        }
        state.withLock { state in
            for (name, value) in members {
                switch (name, value) {
                case ("max_payload", .number(let text)): state.payloadBytesMax = Int(text) ?? 0
                case ("headers", .bool(let hasHeaders)): state.hasHeaders = hasHeaders
                default: break
                }
            }
        }
        hello.resolve(.success(()))
    }

    /// An -ERR: against a subscription it goes to who subscribes now, anything else to the next flush.
    private func note(error text: String) {
        let isPermission = text.hasPrefix("Permissions Violation")
        let isOfSubscribe =
            text.hasPrefix("Permissions Violation for Subscription")
            || text == "Invalid Subject" || text.lowercased().hasPrefix("maximum subscriptions")
        let code: BrokerError.Code =
            isPermission
            ? .permission
            : text.hasPrefix("Invalid") ? .subject : .connectionClosed
        let error = BrokerError(code, text)
        state.withLock { state in
            state.lastErrorText = isPermission ? state.lastErrorText : text
            if isOfSubscribe, let i = state.fences.firstIndex(where: \.followsSubscribe) {
                state.fences[i].refusal = state.fences[i].refusal ?? error
            } else if state.untoldError == nil {
                state.untoldError = error
            }
        }
    }
}
