/// The part of `BrokerConfiguration` that loops use, as plain values. A reload sends each loop a new
/// one, which it adopts between two turns.
struct LoopSettings: BitwiseCopyable, Sendable {
    var controlLineBytesMax: Int
    var payloadBytesMax: Int
    var pendingBytesMax: Int
    var subscriptionsMax: Int
    var subscriptionTokensMax: Int
    var writeDeadlineNanoseconds: UInt64
    var pingIntervalNanoseconds: UInt64
    var pingsOutstandingMax: Int
    var requiresAuthentication: Bool
    var authenticationTimeoutNanoseconds: UInt64
    var supportsHeaders: Bool
    var messagesPerSecondMax: Int
    var bytesPerSecondMax: Int
    var hasRate: Bool
    var blockNanosecondsMax: UInt64
    var traces: Bool
    var tracedMessageBytesMax: Int
    /// Messages need no look at rates or traces, and usual control lines none at their length.
    var publishesSimply: Bool
    var spinNanoseconds: UInt64
    var coalesceNanoseconds: UInt64
    var stallThresholdNanoseconds: UInt64
    var measuresThreadTime: Bool
    /// Of the loop's own: whether there are rules that a message may have to pass.
    var hasRules = false

    init(_ configuration: BrokerConfiguration) {
        controlLineBytesMax = configuration.controlLineBytesMax
        payloadBytesMax = configuration.payloadBytesMax
        pendingBytesMax = configuration.pendingBytesMax
        subscriptionsMax = configuration.subscriptionsMax
        subscriptionTokensMax = configuration.subscriptionTokensMax
        writeDeadlineNanoseconds = configuration.writeDeadlineNanoseconds
        pingIntervalNanoseconds = configuration.pingIntervalNanoseconds
        pingsOutstandingMax = configuration.pingsOutstandingMax
        requiresAuthentication = configuration.authorization.isRequired
        authenticationTimeoutNanoseconds = configuration.authenticationTimeoutNanoseconds
        supportsHeaders = !configuration.disablesHeaders
        messagesPerSecondMax = configuration.publishedMessagesPerSecondMax
        bytesPerSecondMax = configuration.publishedBytesPerSecondMax
        hasRate = messagesPerSecondMax > 0 || bytesPerSecondMax > 0
        blockNanosecondsMax = configuration.slowConsumers.blockNanosecondsMax
        traces = configuration.log.trace
        tracedMessageBytesMax = configuration.tracedMessageBytesMax
        spinNanoseconds = configuration.spinNanoseconds
        coalesceNanoseconds = configuration.coalesceNanoseconds
        stallThresholdNanoseconds = configuration.stallThresholdNanoseconds
        measuresThreadTime = configuration.turnClock == .thread
        publishesSimply =
            !traces && !hasRate && controlLineBytesMax >= PublishFastPath.argumentBytesMax
    }
}
