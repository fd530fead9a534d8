/// `martlet { … }`: what nats-server does not know.
extension ConfigurationReader {
    private static let loopsMax: Int64 = 1024

    mutating func readMartlet(
        _ key: String, _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> Bool {
        guard key == "martlet" else { return false }
        for entry in try value.map(key).entries {
            read(entry) { (reader, key, entry) throws(ConfigurationComplaint) in
                try reader.readMartletEntry(key, entry)
            }
        }
        return true
    }

    private mutating func readMartletEntry(
        _ key: String, _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> Bool {
        let value = entry.value
        switch key {
        case "loops": configuration.loopCount = try value.count(key, 1...Self.loopsMax)
        case "max_memory": configuration.memoryBytesMax = try value.integer(key)
        case "max_publish_rate":
            configuration.publishedMessagesPerSecondMax = try value.integer(key)
        case "max_publish_bytes":
            configuration.publishedBytesPerSecondMax = try value.integer(key)
        case "slow_consumers": try readSlowConsumers(value)
        case "spin":
            configuration.spinNanoseconds = try duration(entry, 0...100_000_000, "0 to 100ms")
        case "coalesce":
            configuration.coalesceNanoseconds = try duration(entry, 0...10_000_000, "0 to 10ms")
        case "stall_threshold":
            configuration.stallThresholdNanoseconds = try duration(
                entry, 10_000...60_000_000_000, "10us to 60s")
        case "turn_clock": configuration.turnClock = try value.choice(key)
        default: return false
        }
        return true
    }

    func duration(
        _ entry: ConfigurationMap.Entry, _ range: ClosedRange<Int64>, _ words: String
    ) throws(ConfigurationComplaint) -> UInt64 {
        let nanoseconds = try duration(entry)
        guard range.contains(nanoseconds) else {
            throw entry.value.complaint("\"\(entry.key)\" takes a time of \(words)")
        }
        return UInt64(nanoseconds)
    }

    // MARK: Slow consumers

    private mutating func readSlowConsumers(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) {
        let map = try value.map("slow_consumers")
        // First, because it is also the policy of rules that name none.
        for entry in map.entries where entry.key.lowercased() == "default" {
            configuration.slowConsumers.defaultPolicy = try entry.value.choice(entry.key)
        }
        for entry in map.entries {
            read(entry) { (reader, key, entry) throws(ConfigurationComplaint) in
                switch key {
                case "default": break
                case "block_max": try reader.readBlockMax(entry)
                case "rules":
                    for value in try entry.value.array(entry.key) {
                        try reader.readSlowConsumerRule(value)
                    }
                default: return false
                }
                return true
            }
        }
    }

    private mutating func readBlockMax(
        _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) {
        let nanoseconds = try duration(entry)
        guard nanoseconds > 0 else {
            throw entry.value.complaint("invalid \(entry.key), needs to be positive")
        }
        configuration.slowConsumers.blockNanosecondsMax = UInt64(nanoseconds)
    }

    private mutating func readSlowConsumerRule(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) {
        var rule = BrokerConfiguration.SlowConsumerRule(
            subject: ">", policy: configuration.slowConsumers.defaultPolicy)
        for entry in try value.map("rules").entries {
            read(entry) { (_, key, entry) throws(ConfigurationComplaint) in
                switch key {
                case "account": rule.account = try entry.value.optionalString(key)
                case "subject": rule.subject = try entry.value.subject(key)
                case "policy": rule.policy = try entry.value.choice(key)
                case "max_pending":
                    rule.pendingBytesMax = try entry.value.integer(key, 1...Int64.max)
                default: return false
                }
                return true
            }
        }
        configuration.slowConsumers.rules.append(rule)
    }
}

extension ConfigurationValue {
    /// A number, or nil where it is left to the broker.
    func count(
        _ key: String, _ range: ClosedRange<Int64>
    ) throws(ConfigurationComplaint) -> Int? {
        if case .string(let text) = content {
            guard text.lowercased() == "auto" else {
                throw complaint("\"\(key)\" takes a number or auto, not \"\(text)\"")
            }
            return nil
        }
        return try integer(key, range)
    }

    /// A subject, wildcards included: no empty token, no white space, `>` only as the last token.
    fileprivate func subject(_ key: String) throws(ConfigurationComplaint) -> String {
        let text = try string(key)
        let tokens = text.split(separator: ".", omittingEmptySubsequences: false)
        let isValid =
            !tokens.contains(where: \.isEmpty) && !tokens.dropLast().contains(">")
            && !text.contains(where: \.isWhitespace)
        guard isValid else { throw complaint("\"\(text)\" is not a valid subject") }
        return text
    }
}
