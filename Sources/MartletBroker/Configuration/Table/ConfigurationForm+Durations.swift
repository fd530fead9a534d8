/// Durations: a string names its unit ("10s"); two old keys also take seconds as a number.
extension ConfigurationForm<UInt64> {
    /// From one bound to the other, both named in `words`.
    static func duration(_ range: ClosedRange<Int64>, _ words: String) -> ConfigurationForm {
        form("a time of \(words)") { (entry, _) throws(ConfigurationComplaint) in
            let nanoseconds = try entry.value.duration(entry.name)
            guard range.contains(nanoseconds) else {
                throw entry.value.complaint("\"\(entry.name)\" takes a time of \(words)")
            }
            return UInt64(nanoseconds)
        }
    }

    /// More than nothing.
    static var positiveDuration: ConfigurationForm {
        form("a time") { (entry, _) throws(ConfigurationComplaint) in
            let nanoseconds = try entry.value.duration(entry.name)
            guard nanoseconds > 0 else { throw entry.isNegative }
            return UInt64(nanoseconds)
        }
    }

    /// 0 is nats-server's word for its default.
    static var durationOrDefault: ConfigurationForm {
        form("a time; 0s is the default") {
            (entry, _) throws(ConfigurationComplaint) in
            let nanoseconds = try entry.value.duration(entry.name)
            guard nanoseconds >= 0 else { throw entry.isNegative }
            return nanoseconds == 0 ? nil : UInt64(nanoseconds)
        }
    }

    /// The same, with a warning for a number, which counts seconds.
    static var durationOrSeconds: ConfigurationForm {
        form("a time; 0s is the default") {
            (entry, reader) throws(ConfigurationComplaint) in
            guard case .integer(let seconds) = entry.value.content else {
                return try durationOrDefault.read(entry, &reader)
            }
            reader.warn(entry, "\(entry.name) should be converted to a duration")
            let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            if overflows { throw entry.value.complaint("\(entry.name) value is too big") }
            guard product >= 0 else { throw entry.isNegative }
            return product == 0 ? nil : UInt64(product)
        }
    }

    static var lameDuckDuration: ConfigurationForm {
        form("a time of 30s or more") {
            (entry, _) throws(ConfigurationComplaint) in
            let duration = try entry.value.duration(entry.name)
            guard duration >= 30_000_000_000 else {
                let sign = duration < 0 ? "-" : ""
                let text = ConfigurationDuration.text(ofNanoseconds: duration.magnitude)
                throw entry.value.complaint(
                    "invalid \(entry.name) of \(sign)\(text), minimum is 30 seconds")
            }
            return UInt64(duration)
        }
    }

    /// Seconds as a number, with decimals too, or a duration; as `authorization { timeout }` has it.
    static var authenticationTimeout: ConfigurationForm {
        ConfigurationForm(
            "a time, or seconds as a number; 0 is the default",
            // nats-server logs seconds.
            shown: { ConfigurationDigest.text(of: Double($0) / 1e9) },
            written: { ConfigurationDuration.text(ofNanoseconds: $0) }
        ) {
            (entry, reader) throws(ConfigurationComplaint) in
            let (seconds, text) = try entry.value.timeoutSeconds()
            guard seconds >= 0 else {
                throw entry.value.complaint("invalid timeout, needs to be positive")
            }
            guard seconds < 1e9 else { throw entry.value.complaint("timeout value is too big") }
            if seconds > 60 { reader.warn(entry, highTimeout(text, seconds)) }
            return seconds == 0 ? nil : UInt64((seconds * 1e9).rounded())
        }
    }

    private static func form(_ words: String, read: @escaping Reading) -> ConfigurationForm {
        ConfigurationForm(
            words, shown: { ConfigurationDuration.text(ofNanoseconds: $0) }, read: read)
    }

    private static func highTimeout(_ text: String, _ seconds: Double) -> String {
        let millionths = UInt64((seconds * 1e6).rounded())
        let decimals = "\(1_000_000 + millionths % 1_000_000)".dropFirst()
        return "timeout of \(text) (\(millionths / 1_000_000).\(decimals) seconds) is high, "
            + "consider keeping it under 60 seconds. possibly caused by unquoted duration; "
            + "use '1m' instead of 1m, for example"
    }
}

extension ConfigurationForm<UInt64?> {
    /// A time from one bound to the other, both named in `words`, or `auto`, which leaves it to the broker.
    static func durationOrAuto(_ range: ClosedRange<Int64>, _ words: String) -> ConfigurationForm {
        let words = words + ", or auto"
        let duration = ConfigurationForm<UInt64>.duration(range, words)
        return ConfigurationForm(
            "a time of \(words)",
            shown: { $0.map { ConfigurationDuration.text(ofNanoseconds: $0) } ?? "auto" }
        ) { (entry, reader) throws(ConfigurationComplaint) in
            if case .string(let word) = entry.value.content, word.lowercased() == "auto" {
                return .some(nil)
            }
            return try duration.read(entry, &reader)
        }
    }
}

extension ConfigurationMap.Entry {
    fileprivate var isNegative: ConfigurationComplaint {
        value.complaint("invalid \(name), needs to be positive")
    }
}

extension ConfigurationValue {
    /// Nanoseconds of a string such as "10s".
    func duration(_ key: String) throws(ConfigurationComplaint) -> Int64 {
        let text = try string(key)
        do throws(ConfigurationDuration.Failure) {
            return try ConfigurationDuration.parse(text)
        } catch {
            throw complaint("error parsing \(key): \(error.reason)")
        }
    }

    fileprivate func timeoutSeconds() throws(ConfigurationComplaint) -> (Double, text: String) {
        switch content {
        case .integer(let number): return (Double(number), "\(number)")
        case .float(let number): return (number, ConfigurationDigest.text(of: number))
        case .string(let duration):
            do throws(ConfigurationDuration.Failure) {
                return (Double(try ConfigurationDuration.parse(duration)) / 1e9, duration)
            } catch {
                throw complaint("error parsing authorization config, 'timeout' \(error.reason)")
            }
        default: throw complaint("error parsing authorization config, 'timeout' wrong type")
        }
    }
}
