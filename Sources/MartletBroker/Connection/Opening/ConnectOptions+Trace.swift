extension ConnectOptions {
    /// Fields whose values say nothing secret. Others may hold anything, under whatever name.
    private static let shown: Set<String> = [
        "verbose", "pedantic", "echo", "headers", "no_responders", "tls_required", "protocol",
        "name",
        "lang", "version", "user", "account", "new_account",
    ]

    /// CONNECT's argument as a log may show it: what was understood of it, no secret whatever its spelling.
    static func traced(_ bytes: Bytes, _ count: Int) -> String {
        var reader = unsafe JSONReader(bytes, count)
        guard case .object(let members)? = reader.document() else { return redacted }
        let fields = members.map { name, value in
            let isShown = shown.contains(name.lowercased())
            return "\(QuotedText.quoted(name)):\(isShown ? text(value) : redactedJSON)"
        }
        return "{\(fields.joined(separator: ","))}"
    }

    private static let redacted = "[REDACTED]"
    private static let redactedJSON = "\"\(redacted)\""

    private static func text(_ value: JSONReader.Value) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .number(let text): text
        case .string(let text): isSeed(text) ? redactedJSON : QuotedText.quoted(text)
        case .array, .object: redactedJSON
        }
    }

    /// The secret half of an nkey, which somebody gave where another text belongs.
    private static func isSeed(_ text: String) -> Bool {
        text.utf8.count == 58 && text.utf8.first == UInt8(ascii: "S")
            && text.utf8.allSatisfy {
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                    || (UInt8(ascii: "2")...UInt8(ascii: "7")).contains($0)
            }
    }
}
