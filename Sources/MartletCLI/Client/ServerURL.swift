import FoundationEssentials
import MartletBroker

/// Where a client connects to, and as whom: `nats://user:password@host:port`, `host:port`, `host`.
struct ServerURL: Equatable {
    var address: HostAndPort
    var user: String?
    var password: String?
    /// A name without a password before the `@`.
    var token: String?

    var credentials: InProcessCredentials? {
        if let user { return .user(user, password: password ?? "") }
        return token.map { .token($0) }
    }

    /// Several, separated by commas, in the order in which they are tried.
    static func list(_ text: String) throws(CommandFailure) -> [ServerURL] {
        var servers: [ServerURL] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            servers.append(try ServerURL(part.trimmed))
        }
        return servers
    }

    init(_ text: String) throws(CommandFailure) {
        var rest = text[...]
        if let end = rest.firstRange(of: "://") {
            guard rest[..<end.lowerBound] == "nats" else {
                throw .wrongArguments("only nats:// addresses are supported, not \(text)")
            }
            rest = rest[end.upperBound...]
        }
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 {
                user = Self.decoded(parts[0])
                password = Self.decoded(parts[1])
            } else {
                token = Self.decoded(parts[0])
            }
            rest = rest[rest.index(after: at)...]
        }
        while rest.hasSuffix("/") { rest.removeLast() }
        address = HostAndPort(String(rest), defaultPort: 4222)
        guard !address.host.isEmpty, (1...65_535).contains(address.port) else {
            throw .wrongArguments("not a server address: \(text)")
        }
    }

    /// With `%20` and its like decoded; as it is where one of them is none.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2,
                let number = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return String(text) }
            bytes.append(number)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self) ?? String(text)
    }
}
