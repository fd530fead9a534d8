import Logging

/// Writes events to the log, in nats-server's words where it has some.
struct BrokerLog: EventSink {
    let logger: Logger

    func record(_ event: BrokerEvent) {
        switch event {
        case .connection(let event, let peer): record(event, of: peer)
        case .loopStalled(let stall): logger.warning("\(Self.text(stall))")
        case .processStoodStill(let nanoseconds):
            logger.warning(
                """
                The process stood still for \(nanoseconds / 1_000_000)ms: it was stopped, or its \
                machine had no time for it
                """)
        case .listening(let kind, let address):
            logger.info("Listening for \(kind) connections on \(address)")
        case .listeningFailed(let kind, let failure):
            logger.error("Error trying to listen for \(kind) connections: \(failure)")
        case .descriptorsSpent(let refused):
            logger.error("Error accepting a connection: too many open files, \(refused) refused")
        case .memoryRefused(let operations):
            logger.error("The system has no memory: \(operations) operations refused")
        case .publishersAwaitMemory(let wait): logger.warning("\(Self.text(wait))")
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
        logger.log(level: event.level, "\(peer) - \(event.text)")
    }

    private static func text(_ stall: LoopStall) -> String {
        let most = stall.mostOfIt.isEmpty ? "" : ", most of it \(stall.mostOfIt)"
        return "Loop \(stall.loop) stalled for \(stall.nanoseconds / 1_000)us: "
            + "\(stall.events) events, \(stall.commands) commands, "
            + "\(stall.deliveries) deliveries\(most)"
    }

    private static func text(_ wait: MemoryWait) -> String {
        "Publishers wait for memory: up to \(wait.connections) at once on loop \(wait.loop), "
            + "\(wait.usedBytes) bytes in use, max_memory is \(wait.bytesMax)"
    }
}
