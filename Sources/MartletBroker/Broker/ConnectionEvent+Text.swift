import Logging

/// In nats-server's words where it has some, and at its levels.
extension ConnectionEvent {
    var level: Logger.Level {
        switch self {
        case .traced, .tracedPayload: .trace
        case .connected, .closed, .authenticationTimedOut, .stale: .debug
        case .slowConsumer: .info
        case .dropsMessages: .warning
        case .authenticationFailed, .connectionsExceeded, .connectInvalid, .protocolLevelUnknown,
            .headersMissing, .violation, .subscriptionsExceeded, .subscriptionMemoryExceeded,
            .subscriptionRefused,
            .publishRefused, .errorReceived:
            .error
        }
    }

    /// Nothing in it that a peer has written can begin a line or reach a terminal as more than text.
    var text: String {
        switch self {
        case .connected: "Client connection created"
        case .closed(let reason): "Client connection closed: \(reason.text)"
        case .authenticationFailed(let claim): "authentication error\(Self.text(claim))"
        case .authenticationTimedOut: "Authentication Timeout"
        case .connectionsExceeded: "maximum connections exceeded"
        case .connectInvalid: "invalid CONNECT"
        case .protocolLevelUnknown: "invalid client protocol"
        case .headersMissing: "no responders requires headers support"
        case .violation(let report): Self.text(report)
        case .subscriptionsExceeded: "maximum subscriptions exceeded"
        case .subscriptionMemoryExceeded:
            "maximum subscriptions exceeded, since they may take half of max_memory"
        case .subscriptionRefused(let subject, let queue, let sid, let hasTooManyTokens):
            "Subscription Violation\(hasTooManyTokens ? " Too Many Tokens" : "") - Subject "
                + QuotedText.quoted(subject)
                + (queue.isEmpty ? "" : ", Queue: \(QuotedText.quoted(queue))")
                + ", SID \(QuotedText.escaped(sid))"
        case .publishRefused(let subject):
            "Publish Violation - Subject \(QuotedText.quoted(subject))"
        case .errorReceived(let text): "Client Error \(QuotedText.escaped(text))"
        case .slowConsumer(let cause): "Slow Consumer Detected: \(Self.text(cause))"
        case .dropsMessages(let max):
            "Slow Consumer: MaxPending of \(max) Exceeded, its policy drops messages; "
                + "/connz counts them"
        case .stale: "Stale Client Connection - Closing"
        case .traced(let direction, let verb, nil): "\(direction.rawValue) [\(verb)]"
        case .traced(let direction, let verb, let argument?):
            "\(direction.rawValue) [\(verb) \(QuotedText.escaped(argument))]"
        case .tracedPayload(let direction, let bytes, let isWhole):
            "\(direction.rawValue) MSG_PAYLOAD: [\"\(QuotedText.escaped(bytes, quotes: true))"
                + (isWhole ? "\"]" : "...\"]")
        }
    }

    private static func text(_ claim: ClaimedIdentity) -> String {
        switch claim {
        case .nobody: ""
        case .user(let name): " - User \(QuotedText.quoted(name))"
        case .token: " - Token \"[REDACTED]\""
        }
    }

    private static func text(_ report: ProtocolViolationReport) -> String {
        switch report {
        case .unknownOperation(let position, let beginning):
            "Client parser ERROR, i=\(position): proto='\(QuotedText.quoted(beginning))...'"
        case .badArguments(let verb, let argument):
            "\(processor(of: verb)) Parse Error: \(QuotedText.quoted(argument))"
        case .controlLineTooLong: "maximum control line exceeded"
        case .payloadTooLarge(let count, let max): "maximum payload exceeded: \(count) vs \(max)"
        case .headersNotSupported: "message headers not supported"
        }
    }

    /// nats-server names the function that found the fault.
    private static func processor(of verb: Verb) -> String {
        switch verb {
        case .publish: "processPub"
        case .publishWithHeader: "processHeaderPub"
        case .unsubscribe: "processUnsub"
        default: "processSub"
        }
    }

    private static func text(_ cause: SlowConsumerCause) -> String {
        switch cause {
        case .pendingBytes(let max): return "MaxPending of \(max) Exceeded"
        case .writeDeadline(let nanoseconds, let chunks, let pending):
            let deadline = ConfigurationDuration.text(ofNanoseconds: nanoseconds)
            return "WriteDeadline of \(deadline) exceeded with \(chunks) chunks of \(pending) "
                + "total bytes."
        case .blockedPublishers: return "blocked its publishers for longer than block_max"
        case .memory(let held): return "max_memory reached, \(held) bytes held"
        case .subscriptions(let count):
            return "max_memory reached, \(count) subscriptions held"
        }
    }
}
