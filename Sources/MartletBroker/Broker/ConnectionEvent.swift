/// What a connection did, or what was done to it.
enum ConnectionEvent: Equatable, Sendable {
    case connected
    case closed(CloseReason)
    case authenticationFailed(as: ClaimedIdentity)
    case authenticationTimedOut
    case connectionsExceeded
    case connectInvalid
    /// It asks for a protocol that there is not.
    case protocolLevelUnknown
    /// It asks for 503s, which need headers.
    case headersMissing
    case violation(ProtocolViolationReport)
    case subscriptionsExceeded
    case subscriptionMemoryExceeded
    case subscriptionRefused(subject: String, queue: String, sid: String, hasTooManyTokens: Bool)
    case publishRefused(subject: String)
    /// It says that this broker has broken the protocol.
    case errorReceived(String)
    case slowConsumer(SlowConsumerCause)
    /// For the first time, a policy throws away what is over the limit.
    case dropsMessages(pendingBytesMax: Int)
    case stale
    /// What came from it or goes to it, where everything is traced.
    case traced(TraceDirection, verb: String, argument: String?)
    case tracedPayload(TraceDirection, [UInt8], isWhole: Bool)
}

enum TraceDirection: String, Sendable {
    case received = "<<-"
    case sent = "->>"
}

/// What a peer got wrong, with what is worth knowing of it.
enum ProtocolViolationReport: Equatable, Sendable {
    /// Where the operation starts in what was read, and how it begins.
    case unknownOperation(at: Int, beginning: [UInt8])
    case badArguments(Verb, [UInt8])
    case controlLineTooLong
    case payloadTooLarge(Int, max: Int)
    case headersNotSupported
}

/// Why a connection counts as a slow consumer.
enum SlowConsumerCause: Equatable, Sendable {
    case pendingBytes(max: Int)
    case writeDeadline(nanoseconds: UInt64, chunks: Int, pendingBytes: Int)
    /// Its publishers have waited for it as long as they may.
    case blockedPublishers
    /// It held most when the memory budget was spent.
    case memory(heldBytes: Int)
    /// It held most when the share of subscriptions was.
    case subscriptions(count: Int)
}
