/// A message as a client receives it.
struct ClientMessage: Equatable {
    let subject: String
    let reply: String?
    /// `NATS/1.0` and what follows it, for example " 503"; empty without a header.
    let status: String
    let headers: [ClientHeader]
    let payload: [UInt8]

    /// What the server answers a request with that no subscription takes.
    var isNoResponders: Bool { status == "503" && payload.isEmpty }
}

/// One `Key: Value` of a message.
struct ClientHeader: Equatable, CustomStringConvertible {
    let key: String
    let value: String

    init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    /// Reads `Key: Value` or `Key:Value`.
    init?(_ text: some StringProtocol) {
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else { return nil }
        key = String(text[..<colon])
        value = String(text[text.index(after: colon)...].drop { $0 == " " })
        let unprintable: (Unicode.Scalar) -> Bool = { $0 == "\r" || $0 == "\n" }
        if text.unicodeScalars.contains(where: unprintable) || key.contains(" ") { return nil }
    }

    var description: String { "\(key): \(value)" }

    /// The header block of a message, its empty line included.
    static func block(_ headers: [ClientHeader]) -> [UInt8] {
        Array(("NATS/1.0\r\n" + headers.map { "\($0)\r\n" }.joined() + "\r\n").utf8)
    }

    static func parse(_ block: some Collection<UInt8>) -> (status: String, [ClientHeader]) {
        let lines = block.split(separator: UInt8(ascii: "\n"))
            .map { String(decoding: $0, as: UTF8.self) }
            .map { $0.hasSuffix("\r") ? String($0.dropLast()) : $0 }
        let first = (lines.first ?? "").dropFirst("NATS/1.0".count)
        let status = first.split(separator: " ").first.map(String.init) ?? ""
        return (status, lines.dropFirst().compactMap { ClientHeader($0) })
    }
}
