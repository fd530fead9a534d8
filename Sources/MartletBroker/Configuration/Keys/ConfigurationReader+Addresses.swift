/// Where the broker listens: clients and monitoring.
extension ConfigurationReader {
    mutating func readAddress(
        _ key: String, _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> Bool {
        switch key {
        case "listen":
            let (host, port) = try value.hostAndPort(key)
            configuration.host = host.isEmpty ? "0.0.0.0" : host
            configuration.port = port == 0 ? 4222 : port
        case "host", "net":
            let host = try value.string(key)
            configuration.host = host.isEmpty ? "0.0.0.0" : host
        case "port":
            let port = try value.port(key)
            configuration.port = port == 0 ? 4222 : port
        case "client_advertise":
            let address = try value.string(key)
            configuration.clientAdvertise = address.isEmpty ? nil : address
        case "http":
            let (host, port) = try value.hostAndPort(key)
            configuration.httpHost = host.isEmpty ? nil : host
            configuration.httpPort = port
        case "http_port", "monitor_port":
            configuration.httpPort = try value.port(key)
        case "http_base_path":
            configuration.httpBasePath = Self.basePath(try value.string(key))
        default:
            return false
        }
        return true
    }

    /// A slash in front, none at the end, none doubled; empty for the root.
    private static func basePath(_ text: String) -> String {
        var parts: [Substring] = []
        for part in text.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.map { "/" + $0 }.joined()
    }
}

extension ConfigurationValue {
    func port(_ key: String) throws(ConfigurationComplaint) -> Int {
        let number = try integer(key, Int64.min...Int64.max)
        return try checked(port: number)
    }

    /// `host:port`, `[::1]:port`, `:port` or the port alone, whose host is then empty.
    func hostAndPort(_ key: String) throws(ConfigurationComplaint) -> (host: String, port: Int) {
        switch content {
        case .integer: return ("", try port(key))
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
