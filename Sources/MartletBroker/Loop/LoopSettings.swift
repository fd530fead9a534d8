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
    /// Neither rates nor traces are on, and `max_control_line` allows every line that the fast path takes.
    var publishesSimply: Bool
    var spinNanoseconds: UInt64
    /// All output waits for so long.
    var coalesceNanoseconds: UInt64
    /// The output of fan-outs waits while the loop is busy.
    var gathersFanOuts: Bool
    var sliceNanoseconds: UInt64
    var stallThresholdNanoseconds: UInt64
    var measuresThreadTime: Bool
    /// Of the loop's own: whether there are rules that a message may have to pass.
    var hasRules = false

    init(_ configuration: BrokerConfiguration) {
        controlLineBytesMax = configuration.limits.controlLineBytesMax
        payloadBytesMax = configuration.limits.payloadBytesMax
        pendingBytesMax = configuration.limits.pendingBytesMax
        subscriptionsMax = configuration.limits.subscriptionsMax
        subscriptionTokensMax = configuration.limits.subscriptionTokensMax
        writeDeadlineNanoseconds = configuration.limits.writeDeadlineNanoseconds
        pingIntervalNanoseconds = configuration.keepalive.pingIntervalNanoseconds
        pingsOutstandingMax = configuration.keepalive.pingsOutstandingMax
        requiresAuthentication = configuration.authorization.isRequired
        authenticationTimeoutNanoseconds = configuration.authorization.timeoutNanoseconds
        supportsHeaders = !configuration.disablesHeaders
        messagesPerSecondMax = configuration.limits.publishedMessagesPerSecondMax
        bytesPerSecondMax = configuration.limits.publishedBytesPerSecondMax
        hasRate = messagesPerSecondMax > 0 || bytesPerSecondMax > 0
        blockNanosecondsMax = configuration.slowConsumers.blockNanosecondsMax
        traces = configuration.log.trace
        tracedMessageBytesMax = configuration.log.tracedMessageBytesMax
        spinNanoseconds =
            configuration.tuning.spinNanoseconds
            ?? Self.spinNanoseconds(
                cores: CoreCount.usable, loops: configuration.loopCount ?? Broker.defaultLoopCount()
            )
        coalesceNanoseconds = configuration.tuning.coalesceNanoseconds ?? 0
        gathersFanOuts = configuration.tuning.coalesceNanoseconds == nil
        sliceNanoseconds = configuration.tuning.sliceNanoseconds
        stallThresholdNanoseconds = configuration.tuning.stallThresholdNanoseconds
        measuresThreadTime = configuration.tuning.turnClock == .thread
        publishesSimply =
            !traces && !hasRate && controlLineBytesMax >= PublishFastPath.argumentBytesMax
    }

    /// Looking takes a core while it lasts, which on a small machine the clients need.
    static func spinNanoseconds(cores: Int, loops: Int) -> UInt64 {
        cores >= max(4, 2 * loops) ? 20_000 : 0
    }
}
