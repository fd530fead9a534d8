/// Something that has happened in a broker and that who operates it may want to know.
enum BrokerEvent: Sendable {
    case connection(ConnectionEvent, PeerDescription)
    case loopStalled(LoopStall)
    case listening(for: PeerKind, address: String)
    case listeningFailed(for: PeerKind, SystemFailure)
    /// So many clients were turned away since this was recorded last.
    case descriptorsSpent(refused: Int)
    case watchingFailed(SystemFailure)
    /// No thread could be made to check credentials on.
    case checkingFailed(SystemFailure)
    /// A reload has lowered `max_connections`.
    case surplusClosed(count: Int)
    case lameDuckBegins
    case lameDuckClosesClients
}

/// What a connection did, or what was done to it.
enum ConnectionEvent: Equatable, Sendable {
    case connected
    case closed(CloseReason)
    case authenticationFailed
    case authenticationTimedOut
    case connectionsExceeded
    case connectInvalid
    case payloadTooLarge
    /// It says that this broker has broken the protocol.
    case errorReceived(String)
    case slowConsumer(SlowConsumerCause)
    case stale
    /// What it sent, where everything is traced.
    case sent(verb: String, argument: String?)
    case sentPayload(String, isWhole: Bool)
}

/// Why a connection counts as a slow consumer.
enum SlowConsumerCause: Equatable, Sendable {
    case pendingBytes(max: Int)
    case writeDeadline(nanoseconds: UInt64, pendingBytes: Int)
    /// Its publishers have waited for it as long as they may.
    case blockedPublishers
    case memory(pendingBytes: Int)
}

/// A turn that others had to wait for, and what the loop did in it.
struct LoopStall: Sendable {
    var loop: Int
    var nanoseconds: UInt64
    var events: Int
    var commands: Int
    var deliveries: Int
    /// Whose input was read last.
    var lastRead: PeerDescription?
}

/// Hears of events, on the thread on which they happen: it must not wait for anything.
protocol EventSink: Sendable {
    func record(_ event: BrokerEvent)
}
