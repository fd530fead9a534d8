/// Where the broker listens: clients and monitoring.
extension ConfigurationTable {
    static let addresses: [Key<BrokerConfiguration>] = [
        Key(
            "listen", takes: "host:port, or a port",
            "Host and port at once."
        ) { (entry, root, _) throws(ConfigurationComplaint) in
            let (host, port) = try entry.value.hostAndPort()
            root.host = host.isEmpty ? BrokerConfiguration.defaults.host : host
            root.port = port == 0 ? BrokerConfiguration.defaults.port : port
        },
        Key(
            "host", "net", sets: \.host, takes: .requiredText, reload: .refusedAs("Host"),
            flags: ["a", "addr", "net"],
            "The address to listen on; `0.0.0.0` is every interface."),
        Key(
            "port", sets: \.port, takes: .port(zero: "the default"), reload: .refusedAs("Port"),
            flags: ["p", "port"],
            "The client port."),
        Key(
            "client_advertise", sets: \.clientAdvertise, takes: .text,
            default: "the address that the broker listens on", flags: ["client_advertise"],
            "The address that clients are told, host:port."),
        Key(
            "http", takes: "host:port, or a port", reload: .refusedAs("HTTPHost"),
            "Host and port of monitoring at once; the host is that of the clients by default.",
            change: { old, new in
                let (old, new) = (old.monitoring.host ?? old.host, new.monitoring.host ?? new.host)
                return old == new ? nil : .init(old: old, new: new)
            },
            read: { (entry, root, _) throws(ConfigurationComplaint) in
                let (host, port) = try entry.value.hostAndPort()
                root.monitoring.host = host.isEmpty ? nil : host
                root.monitoring.port = port
            }),
        Key(
            "http_port", "monitor_port", sets: \.monitoring.port,
            takes: .port(zero: "no monitoring"),
            reload: .refusedAs("HTTPPort"), flags: ["m", "http_port"],
            "The port of monitoring, over HTTP."),
        Key(
            "http_base_path", sets: \.monitoring.basePath, takes: .path, default: "none",
            reload: .refusedAs("HTTPBasePath"),
            "What the path of each monitoring page begins with."),
    ]
}

extension ConfigurationForm<String> {
    /// A slash in front, none at the end, none doubled; empty for the root.
    fileprivate static var path: ConfigurationForm {
        ConfigurationForm("a path", shown: { $0 }) {
            (entry, _) throws(ConfigurationComplaint) in
            var parts: [Substring] = []
            for part in try entry.value.string(entry.name).split(separator: "/") where part != "." {
                if part == ".." { _ = parts.popLast() } else { parts.append(part) }
            }
            return parts.map { "/" + $0 }.joined()
        }
    }
}

extension ConfigurationValue {
    func port(_ key: String) throws(ConfigurationComplaint) -> Int {
        let number = try integer(key, Int64.min...Int64.max)
        return try checked(port: number)
    }

    /// `host:port`, `[::1]:port`, `:port` or the port alone, whose host is then empty.
    fileprivate func hostAndPort() throws(ConfigurationComplaint) -> (host: String, port: Int) {
        switch content {
        case .integer(let number): return ("", try checked(port: Int(number)))
        case .string(let text):
            guard let (host, port) = Self.split(text) else {
                throw complaint("could not parse address string \"\(text)\"")
            }
            guard let number = Int(port) else {
                throw complaint("could not parse port \"\(port)\"")
            }
            return (host, try checked(port: number))
        default: throw complaint("expected port or host:port, got \(kind)")
        }
    }

    private static func split(_ text: String) -> (host: String, port: String)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let port = String(text[text.index(after: colon)...])
        let host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]" else { return nil }
            let inner = host.dropFirst().dropLast()
            return inner.contains { "[]".contains($0) } ? nil : (String(inner), port)
        }
        return host.contains { ":[]".contains($0) } ? nil : (String(host), port)
    }

    private func checked(port: Int) throws(ConfigurationComplaint) -> Int {
        guard (-1...65_535).contains(port) else {
            throw complaint("port \(port) is not between -1 and 65535")
        }
        return port
    }
}
