/// `host:port`, `[::1]:port`, `host`: an address as people write it.
package struct HostAndPort: Equatable, Sendable, CustomStringConvertible {
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package init(_ text: String, defaultPort: Int) {
        let isBareIPv6 = text.filter { $0 == ":" }.count > 1 && !text.hasPrefix("[")
        let colon = isBareIPv6 ? nil : text.lastIndex(of: ":")
        let hasPort = colon.map { !text[$0...].contains("]") } ?? false
        let host = hasPort ? text[..<colon!] : text[...]
        let port = hasPort ? Int(text[text.index(after: colon!)...]) : nil
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
        self.port = port ?? defaultPort
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
