/// The head of a request: monitoring needs no body.
struct HTTPRequest: Equatable {
    let method: String
    /// Percent-decoded.
    let path: String
    /// Where the request should have gone, if its path has empty, `.` or `..` elements.
    let redirect: String?
    let query: MonitorQuery

    /// Reads `GET /path?query HTTP/1.1`, or the same with an absolute address, and skips the header
    /// fields; nil if it is no request.
    init?(head: some Collection<UInt8>) {
        let line = head.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, words[2].starts(with: "HTTP/1.".utf8), !words[0].isEmpty,
            let target = HTTPTarget(String(decoding: words[1], as: UTF8.self))
        else { return nil }
        method = String(decoding: words[0], as: UTF8.self)
        path = Self.decoded(target.path.utf8, plusIsSpace: false)
        query = target.query.map { Self.query($0.utf8) } ?? MonitorQuery()
        redirect = target.canonical
    }

    private static func query(_ text: some Collection<UInt8>) -> MonitorQuery {
        let parameters = text.split(separator: UInt8(ascii: "&")).map { pair in
            let parts = pair.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? decoded(parts[1], plusIsSpace: true) : ""
            return (decoded(parts[0], plusIsSpace: true), value)
        }
        return MonitorQuery(parameters)
    }

    /// Undoes percent encoding; a broken escape stays as it is.
    private static func decoded(_ text: some Collection<UInt8>, plusIsSpace: Bool) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest.removeFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") && plusIsSpace ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
