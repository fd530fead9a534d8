import Logging
import Synchronization

extension HandlerConnection {
    /// A thread of the pool: answers what has come. Gives the others their turn after a while.
    func serve() {
        reading.lock()
        defer { reading.unlock() }
        let since = Clock.monotonicNanoseconds()
        while !isClosed {
            if hasRoomInFlight {
                switch unsafe input.visit({ unsafe handle($0, $1, since) }) {
                case .exhausted:
                    // Each task that ends says so, and this is looked at again.
                    if sawLastRequest, inFlight.load(ordering: .sequentiallyConsistent) == 0 {
                        return end()
                    }
                    let isOpen = fill(input)
                    takes.wrappingAdd(1, ordering: .relaxed)
                    guard isOpen else { return lose() }
                    if !input.isEmpty { continue }
                case .stopped where isClosed: return
                case .stopped where hasRoomInFlight:
                    // Still active: nobody else puts it in line.
                    return pool.queue(self)
                case .stopped: break
                case .violation(let violation):
                    service.logger.error(
                        "handler of \"\(service.subject)\": the broker sent \(violation)")
                    return lose()
                }
            }
            if exchangePhase(Phase.active, Phase.idle) { return }
            phase.store(Phase.active, ordering: .sequentiallyConsistent)
        }
    }

    /// Held: `reading`. False at the end of the pipe.
    func fill(_ input: ServerInput) -> Bool { input.fill { pipe.peerReceive(into: &$0) } }

    /// False when no more is wanted for now.
    private func handle(_ frame: ServerFrame, _ bytes: Bytes, _ since: UInt64) -> Bool {
        guard frame.kind == .message else {
            unsafe take(control: frame, bytes)
            return true
        }
        switch service.body {
        case .blocking(let body):
            // The supervisor may look at the connection while the closure runs.
            reading.unlock()
            unsafe answer(frame, bytes, body)
            reading.lock()
            if isClosed { return false }
            return !pool.hasLine
                || Clock.monotonicNanoseconds() &- since < HandlerPool.sliceNanoseconds
        case .waiting(_, let body):
            unsafe start(frame, bytes, body)
            return hasRoomInFlight && !isClosed
        }
    }

    private func answer(
        _ frame: ServerFrame, _ bytes: Bytes,
        _ body: @Sendable (borrowing HandlerRequest) throws -> Void
    ) {
        exchange.begin()
        let request = unsafe HandlerRequest(frame, in: bytes, exchange)
        do {
            try body(request)
        } catch {
            let answer = record(error)
            guard !request.isAnswered else { return }
            do throws(BrokerError) { try request.fail(answer) } catch {
                // What it says of itself is too long for this broker.
                try? request.fail(.unexpected)
            }
        }
    }

    /// What to say of an error: what it is only if it is meant for others.
    func record(_ error: any Error) -> ServiceError {
        service.failedRequests.wrappingAdd(1, ordering: .relaxed)
        if let error = error as? ServiceError { return error }
        service.logger.error("handler of \"\(service.subject)\" failed: \(error)")
        return .unexpected
    }

    /// Held: `reading`. What is not a message.
    func take(control frame: ServerFrame, _ bytes: Bytes) {
        do throws(ServerProtocolViolation) {
            take(unsafe try ServerEvent(frame, in: bytes))
        } catch {
            service.logger.error("handler of \"\(service.subject)\": the broker sent \(error)")
        }
    }

    private func take(_ event: ServerEvent) {
        switch event {
        case .ping: outlet.tryWrite(ClientLine.pong)
        case .pong:
            if isOpening.load(ordering: .sequentiallyConsistent), isSubscribing {
                finishOpening()
            } else if isDraining.load(ordering: .sequentiallyConsistent) {
                sawLastRequest = true
            }
        case .info(let info): outlet.adopt(info)
        case .error(let message):
            if isOpening.load(ordering: .sequentiallyConsistent) {
                lastError = lastError ?? message
                return isSubscribing ? finishOpening() : ()
            }
            service.logger.error(
                "handler of \"\(service.subject)\": the broker says \(message)")
        case .ok, .message: break
        }
    }

    private func finishOpening() {
        isOpening.store(false, ordering: .sequentiallyConsistent)
        opened.raise()
    }

    /// Held: `reading`. All requests before the last one are answered.
    private func end() {
        close()
        pool.remove(self)
        service.remove(self)
    }

    /// Held: `reading`. The broker has closed; the supervisor opens another connection if that was not meant.
    private func lose() {
        close()
        if isOpening.load(ordering: .sequentiallyConsistent) {
            lastError = lastError ?? "the broker closed the handler's connection"
            finishOpening()
        } else if lastError == nil {
            pool.lost(self)
        }
    }
}
