/// Passwords and tokens, in clear or as bcrypt hashes.
extension ConfigurationForm<String?> {
    /// An empty one is none.
    static var secret: ConfigurationForm {
        ConfigurationForm(SecretText.words, shown: { _ in "" }) {
            (entry, reader) throws(ConfigurationComplaint) in
            let text = try entry.value.optionalString(entry.name)
            if let text { SecretText.warnOfHalfHash(text, entry, &reader) }
            return text
        }
    }
}

extension ConfigurationForm<String> {
    /// Of a user: an empty one is a password too.
    static var userSecret: ConfigurationForm {
        ConfigurationForm(SecretText.words, shown: { _ in "" }) {
            (entry, reader) throws(ConfigurationComplaint) in
            let text = try entry.value.string(entry.name)
            SecretText.warnOfHalfHash(text, entry, &reader)
            return text
        }
    }
}

private enum SecretText {
    static let words = "a string"

    /// What begins like a hash is compared as one, so a placeholder would keep everybody out.
    static func warnOfHalfHash(
        _ text: String, _ entry: ConfigurationMap.Entry, _ reader: inout ConfigurationReader
    ) {
        guard PasswordCheck.isHash(text), !isWholeHash(text) else { return }
        reader.warn(entry, "it begins like a bcrypt hash and is none, so nothing ever matches it")
    }

    /// `$2b$`, a cost from 04 to 31, `$`, and 53 letters of bcrypt's base 64.
    private static func isWholeHash(_ text: String) -> Bool {
        let rest = text.utf8.dropFirst(7)
        let isOfBase64 = rest.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        guard let cost = Int(text.dropFirst(4).prefix(2)) else { return false }
        return rest.count == 53 && isOfBase64 && (4...31).contains(cost)
    }
}
