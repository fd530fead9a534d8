extension InProcessConnection {
    /// The connection's own task: reads until either side has closed.
    func read() async {
        let arrived = ServerInput()
        do throws(ServerProtocolViolation) {
            while let bytes = pipe.peerReceive() {
                guard !bytes.isEmpty else {
                    await input.wait()
                    continue
                }
                arrived.fill { $0 = bytes }
                while let event = try arrived.next() { await handle(event) }
            }
            finish(closedByBroker(), isFailure: true)
        } catch {
            finish(BrokerError(.connectionClosed, "the broker sent \(error)"), isFailure: true)
        }
    }

    func closedByBroker() -> BrokerError {
        guard let text = state.withLock({ $0.lastErrorText }) else {
            return BrokerError(.connectionClosed, "the broker closed the connection")
        }
        let isRefused = BrokerError(refusal: text).code == .authorization
        return BrokerError(
            isRefused ? .authorization : .connectionClosed,
            "the broker closed the connection: \(text)")
    }

    private func handle(_ event: ServerEvent) async {
        switch event {
        case .message(let message, let id): await deliver(message, to: id)
        case .info(let info): adopt(info)
        case .ok: break
        case .ping:
            // Not awaited: the reader must go on, or a full pipe could never drain.
            Task { try? await send(Array(ClientLine.pong.utf8)) }
        case .pong:
            let fence = state.withLock { $0.fences.isEmpty ? nil : $0.fences.removeFirst() }
            fence?.answer.resolve(fence?.refusal.map { .failure($0) } ?? .success(()))
        case .error(let text): record(error: text)
        }
    }

    private func deliver(_ message: InProcessMessage, to id: UInt64) async {
        let (request, buffer) = state.withLock { state in
            guard id != state.inboxID else {
                let token = UInt64(message.subject.dropFirst(inboxPrefix.count), radix: 36)
                return (
                    token.flatMap { state.requests.removeValue(forKey: $0) },
                    nil as InProcessBuffer?
                )
            }
            return (nil, state.buffers[id])
        }
        request?.resolve(.success(message))
        guard let buffer else { return }
        if await buffer.append(message) { _ = remove(id) }
    }

    private func adopt(_ info: ReceivedInfo) {
        state.withLock { $0.info.adopt(info) }
        hello.resolve(.success(()))
    }

    /// An -ERR: against a subscription it goes to who subscribes now, anything else to the next flush.
    private func record(error text: String) {
        let isOfSubscribe =
            text.hasPrefix("Permissions Violation for Subscription")
            || text == "Invalid Subject" || text.lowercased().hasPrefix("maximum subscriptions")
        let error = BrokerError(refusal: text)
        state.withLock { state in
            state.lastErrorText = error.code == .permission ? state.lastErrorText : text
            if isOfSubscribe, let i = state.fences.firstIndex(where: \.followsSubscribe) {
                state.fences[i].refusal = state.fences[i].refusal ?? error
            } else if state.untoldError == nil {
                state.untoldError = error
            }
        }
    }
}
