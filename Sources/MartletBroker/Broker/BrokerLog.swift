import Logging

/// Writes events to the log, in nats-server's words where it has some.
struct BrokerLog: EventSink {
    let logger: Logger

    func record(_ event: BrokerEvent) {
        switch event {
        case .connection(let event, let peer): record(event, of: peer)
        case .loopStalled(let stall): logger.warning("\(Self.text(stall))")
        case .listening(let kind, let address):
            logger.info("Listening for \(kind) connections on \(address)")
        case .listeningFailed(let kind, let failure):
            logger.error("Error trying to listen for \(kind) connections: \(failure)")
        case .descriptorsSpent(let refused):
            logger.error("Error accepting a connection: too many open files, \(refused) refused")
        case .watchingFailed(let failure):
            logger.error("Error registering a connection: \(failure)")
        case .checkingFailed(let failure):
            logger.error("Error making a thread to check credentials: \(failure)")
        case .surplusClosed(let count):
            logger.info("Closed \(count) connections to fall within max_connections")
        case .lameDuckBegins:
            logger.info("Entering lame duck mode, stop accepting new clients")
        case .lameDuckClosesClients: logger.info("Closing existing clients")
        }
    }

    private func record(_ event: ConnectionEvent, of peer: PeerDescription) {
        logger.log(level: Self.level(of: event), "\(peer) - \(Self.text(event))")
    }

    private static func level(of event: ConnectionEvent) -> Logger.Level {
        switch event {
        case .sent, .sentPayload: .trace
        case .connected, .closed, .authenticationTimedOut, .stale: .debug
        case .slowConsumer: .info
        case .authenticationFailed, .connectionsExceeded, .connectInvalid, .payloadTooLarge,
            .errorReceived:
            .error
        }
    }

    private static func text(_ event: ConnectionEvent) -> String {
        switch event {
        case .connected: "Client connection created"
        case .closed(let reason): "Client connection closed: \(reason.text)"
        case .authenticationFailed: "authentication error"
        case .authenticationTimedOut: "Authentication Timeout"
        case .connectionsExceeded: "maximum connections exceeded"
        case .connectInvalid: "invalid CONNECT"
        case .payloadTooLarge: "maximum payload exceeded"
        case .errorReceived(let text): "Client Error \(text)"
        case .slowConsumer(let cause): "Slow Consumer Detected: \(text(cause))"
        case .stale: "Stale Client Connection - Closing"
        case .sent(let verb, nil): "<<- [\(verb)]"
        case .sent(let verb, let argument?): "<<- [\(verb) \(argument)]"
        case .sentPayload(let text, let isWhole):
            "<<- MSG_PAYLOAD: [\"\(text)\(isWhole ? "" : "...")\"]"
        }
    }

    private static func text(_ cause: SlowConsumerCause) -> String {
        switch cause {
        case .pendingBytes(let max): "MaxPending of \(max) Exceeded"
        case .writeDeadline(let nanoseconds, let pending):
            "WriteDeadline of \(nanoseconds / 1_000_000)ms exceeded with \(pending) bytes pending"
        case .blockedPublishers: "blocked its publishers for longer than block_max"
        case .memory(let pending): "max_memory reached, \(pending) bytes pending"
        }
    }

    private static func text(_ stall: LoopStall) -> String {
        let last = stall.lastRead.map { ", \($0) read last" } ?? ""
        return "Loop \(stall.loop) stalled for \(stall.nanoseconds / 1_000)us: "
            + "\(stall.events) events, \(stall.commands) commands, "
            + "\(stall.deliveries) deliveries\(last)"
    }
}
