/// Fills a `BrokerConfiguration` from a parsed file, and gathers everything that is wrong with it.
///
/// All errors are reported at once, as nats-server does: fixing a file one error at a time is slow.
/// The extensions read the keys, one topic each; each key stands next to its aliases.
struct ConfigurationReader {
    var configuration: BrokerConfiguration
    var hasReadRules = false
    /// Whether all of the rules could be read.
    var compilesRules = false
    /// Accounts, and their users, who join those of `authorization` in the end.
    var accountNames: Set<String> = []
    var accountUsers: [BrokerConfiguration.User] = []
    var accountUserNames: Set<String> = []
    var authorizationPlace: ConfigurationValue?
    /// Rules of other accounts than `$G`, and where they name them.
    var ruleAccounts: [(entry: ConfigurationMap.Entry, account: String)] = []
    private(set) var errors: [String] = []
    private(set) var warnings: [String] = []

    init(_ configuration: BrokerConfiguration) {
        self.configuration = configuration
    }

    mutating func read(_ root: ConfigurationMap, path: String) {
        if root.entries.isEmpty {
            warnings.append("\(path): config has no values or is empty")
        }
        for entry in root.entries {
            read(entry) { (reader, key, entry) throws(ConfigurationComplaint) in
                try reader.readTopLevel(key, entry)
            }
        }
        joinAccounts()
        checkRules()
    }

    private mutating func readTopLevel(
        _ key: String, _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) -> Bool {
        if try readAddress(key, entry.value) { return true }
        if try readLimit(key, entry) { return true }
        if try readTime(key, entry) { return true }
        if try readLog(key, entry.value) { return true }
        if try readIdentity(key, entry.value) { return true }
        if try readAuthorization(key, entry.value) { return true }
        if try readAccounts(key, entry.value) { return true }
        if try readMartlet(key, entry.value) { return true }
        if try readRules(key, entry) { return true }
        return try readUnsupported(key, entry.value)
    }

    /// Reads one entry of a map; `body` is false for a key that it does not know.
    mutating func read(
        _ entry: ConfigurationMap.Entry,
        _ body: (
            inout ConfigurationReader, _ key: String, ConfigurationMap.Entry
        ) throws(ConfigurationComplaint) -> Bool
    ) {
        do throws(ConfigurationComplaint) {
            // What a variable refers to may have a name of its own.
            if try !body(&self, entry.key.lowercased(), entry), !entry.isVariable {
                throw entry.value.complaint("unknown field \"\(entry.key)\"")
            }
        } catch {
            errors.append(error.text)
        }
    }

    mutating func note(_ complaint: ConfigurationComplaint) { errors.append(complaint.text) }

    /// Takes what a compiler found, each text with its place.
    mutating func add(errors: [String], warnings: [String]) {
        self.errors += errors
        self.warnings += warnings
    }

    mutating func warn(_ entry: ConfigurationMap.Entry, _ reason: String) {
        warnings.append(
            "\(entry.value.position): invalid use of field \"\(entry.key)\": \(reason)")
    }
}

/// What is wrong with one value: file, line, column and the reason.
struct ConfigurationComplaint: Error {
    let text: String
}

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
}
