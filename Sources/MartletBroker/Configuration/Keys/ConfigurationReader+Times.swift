/// Durations. A string names its unit ("10s"); two old keys also take seconds as a number.
extension ConfigurationReader {
    private static let shortestLameDuck: Int64 = 30_000_000_000

    mutating func readTime(
        _ key: String, _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> Bool {
        let defaults = BrokerConfiguration()
        switch key {
        case "ping_interval":
            configuration.pingIntervalNanoseconds =
                try durationOrSeconds(entry) ?? defaults.pingIntervalNanoseconds
        case "write_deadline":
            configuration.writeDeadlineNanoseconds =
                try durationOrSeconds(entry) ?? defaults.writeDeadlineNanoseconds
        case "lame_duck_duration":
            let duration = try duration(entry)
            guard duration >= Self.shortestLameDuck else {
                let sign = duration < 0 ? "-" : ""
                let text = ConfigurationDuration.text(ofNanoseconds: duration.magnitude)
                throw entry.value.complaint(
                    "invalid \(key) of \(sign)\(text), minimum is 30 seconds")
            }
            configuration.lameDuckDurationNanoseconds = UInt64(duration)
        case "lame_duck_grace_period":
            let duration = try duration(entry)
            guard duration >= 0 else {
                throw entry.value.complaint("invalid \(key), needs to be positive")
            }
            configuration.lameDuckGracePeriodNanoseconds =
                duration == 0 ? defaults.lameDuckGracePeriodNanoseconds : UInt64(duration)
        default:
            return false
        }
        return true
    }

    /// Nanoseconds of a string such as "10s".
    func duration(_ entry: ConfigurationMap.Entry) throws(ConfigurationComplaint) -> Int64 {
        let text = try entry.value.string(entry.key)
        do throws(ConfigurationDuration.Failure) {
            return try ConfigurationDuration.parse(text)
        } catch {
            throw entry.value.complaint("error parsing \(entry.key.lowercased()): \(error.reason)")
        }
    }

    /// Nil where the file says 0, which is nats-server's word for its default.
    private mutating func durationOrSeconds(
        _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> UInt64? {
        var nanoseconds: Int64
        if case .integer(let seconds) = entry.value.content {
            let key = entry.key.lowercased()
            warn(entry, "\(key) should be converted to a duration")
            let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            if overflows { throw entry.value.complaint("\(entry.key) value is too big") }
            nanoseconds = product
        } else {
            nanoseconds = try duration(entry)
        }
        guard nanoseconds >= 0 else {
            throw entry.value.complaint("invalid \(entry.key), needs to be positive")
        }
        return nanoseconds == 0 ? nil : UInt64(nanoseconds)
    }
}
