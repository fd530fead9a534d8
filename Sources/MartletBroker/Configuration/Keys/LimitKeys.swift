/// How much of everything, and for how long.
extension ConfigurationTable {
    private static let int32Max: Int64 = 1 << 31 - 1

    static let limits: [Key<BrokerConfiguration>] = [
        Key(
            "max_connections", "max_conn", sets: \.limits.connectionsMax,
            takes: .numberOrZero("a number; 0 and less refuse everyone"),
            "Connections at once."),
        Key(
            "max_subscriptions", "max_subs", sets: \.limits.subscriptionsMax,
            takes: .unlimited,
            "Subscriptions of one connection."),
        Key(
            "max_sub_tokens", "max_subscription_tokens", sets: \.limits.subscriptionTokensMax,
            takes: .tokens, default: "without limit",
            "Tokens of a subscription's subject."),
        Key(
            "max_payload", sets: \.limits.payloadBytesMax,
            takes: .limit("a size", upTo: int32Max, inBytes: true),
            "Bytes of one message, its header included; not more than `max_pending`."),
        Key(
            "max_control_line", sets: \.limits.controlLineBytesMax,
            takes: .limit(
                "a size", upTo: Int64(BrokerConfiguration.Limits.controlLineBytesCeiling),
                inBytes: true),
            "Bytes of a protocol line without its payload."),
        Key(
            "max_pending", sets: \.limits.pendingBytesMax, takes: .limit("a size", inBytes: true),
            "Unsent bytes of a connection, answers included, before it counts as a slow consumer."),
        Key(
            "write_deadline", sets: \.limits.writeDeadlineNanoseconds, takes: .durationOrSeconds,
            "How long the oldest unsent byte of a connection may wait before that connection is closed."
        ),
        Key(
            "write_timeout", sets: \.inert.writeTimeout, takes: .writeTimeout,
            "What happens when `write_deadline` is over; `retry` is for links that this version does not have."
        ),
        Key(
            "max_closed_clients", sets: \.limits.closedConnectionsMax, takes: .limit("a number"),
            "Closed connections that /connz still shows, while they take a 64th of `max_memory` at most."
        ),
        Key(
            "no_header_support", sets: \.disablesHeaders, takes: .toggle,
            "Refuses headers."),
        Key(
            "ping_interval", sets: \.keepalive.pingIntervalNanoseconds, takes: .durationOrSeconds,
            "The pause between the PINGs that a silent client gets."),
        Key(
            "ping_max", sets: \.keepalive.pingsOutstandingMax, takes: .limit("a number"),
            "PINGs without an answer after which a connection is closed."),
        Key(
            "lame_duck_duration", sets: \.lameDuck.durationNanoseconds, takes: .lameDuckDuration,
            "Over how long a server in lame duck mode closes its connections."),
        Key(
            "lame_duck_grace_period", sets: \.lameDuck.gracePeriodNanoseconds,
            takes: .durationOrDefault,
            "How long it waits before it closes the first; less than `lame_duck_duration`."),
    ]
}

extension ConfigurationForm<String> {
    /// Both words stand for the same, as long as all connections are clients.
    fileprivate static var writeTimeout: ConfigurationForm {
        ConfigurationForm("default or close", shown: { $0 }) {
            (entry, _) throws(ConfigurationComplaint) in
            let text = try entry.value.string(entry.name)
            guard ["default", "close"].contains(text) else { throw entry.unsupported }
            return text
        }
    }
}

extension ConfigurationForm<Int> {
    /// nats-server's -1 is without limit too.
    fileprivate static var unlimited: ConfigurationForm {
        ConfigurationForm(
            "a number; 0 and -1 are without limit", flagKind: .number, shown: { "\($0)" }
        ) { (entry, _) throws(ConfigurationComplaint) in
            max(0, try entry.value.integer(entry.name, -1...Int64.max))
        }
    }

    fileprivate static var tokens: ConfigurationForm {
        ConfigurationForm(
            "a number from 1 to 255", flagKind: .number, shown: { "\($0)" }
        ) { (entry, _) throws(ConfigurationComplaint) in
            let count = try entry.value.integer(entry.name, Int64.min...255)
            guard count > 0 else {
                throw entry.value.complaint("\(entry.name) value can not be negative")
            }
            return count
        }
    }
}
