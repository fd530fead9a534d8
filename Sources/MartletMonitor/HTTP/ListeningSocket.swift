import Glibc

/// Why the monitoring port could not be opened, in nats-server's words.
public struct MonitorError: Error, Sendable, CustomStringConvertible {
    public let description: String
}

/// A bound, listening, non-blocking TCP socket.
struct ListeningSocket {
    let descriptor: Int32
    let port: Int

    init(host: String, port: Int) throws(MonitorError) {
        let shown = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        guard (0...65_535).contains(port) else {
            throw MonitorError(description: "listen tcp: address \(port): invalid port")
        }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0, let address = unsafe list else {
            let reason = unsafe gai_strerror(code).map { unsafe String(cString: $0) } ?? "unknown"
            throw MonitorError(description: "listen tcp: lookup \(host): \(reason)")
        }
        defer { unsafe freeaddrinfo(list) }
        let socket = unsafe Self.open(address.pointee)
        guard socket >= 0 else {
            let reason = unsafe String(cString: strerror(errno)).lowercased()
            throw MonitorError(description: "listen tcp \(shown): bind: \(reason)")
        }
        descriptor = socket
        self.port = Self.boundPort(socket)
    }

    private static func open(_ address: addrinfo) -> Int32 {
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = unsafe socket(address.ai_family, address.ai_socktype | flags, 0)
        guard descriptor >= 0 else { return -1 }
        var on: Int32 = 1
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard unsafe bind(descriptor, address.ai_addr, address.ai_addrlen) == 0,
            listen(descriptor, 128) == 0
        else {
            let code = errno
            close(descriptor)
            errno = code
            return -1
        }
        return descriptor
    }

    private static func boundPort(_ descriptor: Int32) -> Int {
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let code = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        // The port is at the same place for IPv4 and IPv6.
        return code == 0 ? Int(UInt16(bigEndian: storage.sin6_port)) : 0
    }
}
