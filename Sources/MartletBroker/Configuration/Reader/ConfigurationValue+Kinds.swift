/// What a value is, or an error that says what it should be.
extension ConfigurationValue {
    func complaint(_ reason: String) -> ConfigurationComplaint {
        ConfigurationComplaint(text: "\(position): \(reason)")
    }

    func mismatch(_ key: String, takes expected: String) -> ConfigurationComplaint {
        complaint("\"\(key)\" takes \(expected), not \(kind)")
    }

    func string(_ key: String) throws(ConfigurationComplaint) -> String {
        guard case .string(let text) = content else { throw mismatch(key, takes: "a string") }
        return text
    }

    /// A string; an empty one is none.
    func optionalString(_ key: String) throws(ConfigurationComplaint) -> String? {
        let text = try string(key)
        return text.isEmpty ? nil : text
    }

    func boolean(_ key: String) throws(ConfigurationComplaint) -> Bool {
        guard case .boolean(let flag) = content else {
            throw mismatch(key, takes: "true or false")
        }
        return flag
    }

    /// An integer of a range, whose lower bound no caller wants to go below.
    func integer(
        _ key: String, _ range: ClosedRange<Int64> = 0...Int64(Int.max)
    ) throws(ConfigurationComplaint) -> Int {
        guard case .integer(let number) = content else { throw mismatch(key, takes: "an integer") }
        guard number <= range.upperBound else { throw complaint("\(key) value is too big") }
        guard number >= range.lowerBound else {
            throw complaint("\(key) value must be \(range.lowerBound) or more, not \(number)")
        }
        return Int(number)
    }

    /// An integer; one below zero counts as zero.
    func integerOrZero(_ key: String) throws(ConfigurationComplaint) -> Int {
        max(0, try integer(key, Int64.min...Int64.max))
    }

    /// One of several words, in any case of their letters.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String
    ) throws(ConfigurationComplaint) -> Choice {
        let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        guard case .string(let text) = content else {
            throw mismatch(key, takes: "one of \(all)")
        }
        if let choice = Choice(rawValue: text.lowercased()) { return choice }
        throw complaint("\"\(key)\" takes one of \(all), not \"\(text)\"")
    }

    func map(_ key: String) throws(ConfigurationComplaint) -> ConfigurationMap {
        guard case .map(let map) = content else { throw mismatch(key, takes: "a map") }
        return map
    }

    func array(_ key: String) throws(ConfigurationComplaint) -> [ConfigurationValue] {
        guard case .array(let values) = content else { throw mismatch(key, takes: "an array") }
        return values
    }

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
}
