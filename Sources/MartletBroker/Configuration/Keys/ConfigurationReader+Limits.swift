/// How much of everything.
extension ConfigurationReader {
    private static let int32Max: Int64 = 1 << 31 - 1

    mutating func readLimit(
        _ key: String, _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> Bool {
        let value = entry.value
        let defaults = BrokerConfiguration()
        switch key {
        case "max_connections", "max_conn":
            // 0 and less refuse everyone.
            configuration.connectionsMax = try value.integerOrZero(key)
        case "max_subscriptions", "max_subs":
            // nats-server's -1 is without limit too.
            configuration.subscriptionsMax = max(0, try value.integer(key, -1...Int64.max))
        case "max_sub_tokens", "max_subscription_tokens":
            configuration.subscriptionTokensMax = try subscriptionTokens(entry)
        case "max_payload":
            let bytes = try limit(entry, upTo: Self.int32Max)
            configuration.payloadBytesMax = bytes ?? defaults.payloadBytesMax
        case "max_control_line":
            let bytes = try limit(entry, upTo: Self.int32Max)
            configuration.controlLineBytesMax = bytes ?? defaults.controlLineBytesMax
        case "max_pending":
            configuration.pendingBytesMax = try limit(entry) ?? defaults.pendingBytesMax
        case "max_closed_clients":
            configuration.closedConnectionsMax = try limit(entry) ?? defaults.closedConnectionsMax
        case "max_traced_msg_len":
            configuration.tracedMessageBytesMax = try value.integerOrZero(key)
        case "ping_max":
            configuration.pingsOutstandingMax = try limit(entry) ?? defaults.pingsOutstandingMax
        default:
            return false
        }
        return true
    }

    /// A limit, or nil where the file says 0, which is nats-server's word for its default.
    ///
    /// Below 0 some of nats-server's limits are off and some refuse everything. Here nothing grows
    /// without a limit, so that is an error.
    private func limit(
        _ entry: ConfigurationMap.Entry, upTo max: Int64 = .max
    ) throws(ConfigurationComplaint) -> Int? {
        let number = try entry.value.integer(entry.key, 0...max)
        return number == 0 ? nil : number
    }

    private func subscriptionTokens(
        _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> Int {
        let count = try entry.value.integer(entry.key, Int64.min...255)
        guard count > 0 else {
            throw entry.value.complaint("\(entry.key) value can not be negative")
        }
        return count
    }
}
