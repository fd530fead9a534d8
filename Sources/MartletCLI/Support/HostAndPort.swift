/// `host:port`, `[::1]:port`, `host`: an address as people write it.
struct HostAndPort: Equatable, CustomStringConvertible {
    let host: String
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init(_ text: String, defaultPort: Int) {
        let isBareIPv6 = text.filter { $0 == ":" }.count > 1 && !text.hasPrefix("[")
        let colon = isBareIPv6 ? nil : text.lastIndex(of: ":")
        let hasPort = colon.map { !text[$0...].contains("]") } ?? false
        let host = hasPort ? text[..<colon!] : text[...]
        let port = hasPort ? Int(text[text.index(after: colon!)...]) : nil
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
        self.port = port ?? defaultPort
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
