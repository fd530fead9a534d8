import CMartletSystem
import Glibc

/// System calls that make sockets.
enum Socket {
    /// A listening socket and the port it got; `port` 0 takes any.
    static func listen(
        host: String, port: UInt16
    ) throws(SystemFailure) -> (fd: Int32, port: UInt16) {
        var address = try resolve(host: host, port: port)
        let fd = socket(
            Int32(address.storage.ss_family),
            Int32(SOCK_STREAM.rawValue)
                | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw SystemFailure("socket") }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        unsafe setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, size)
        if Int32(address.storage.ss_family) == AF_INET6 {
            var off: Int32 = 0  // "::" serves IPv4 too, as nats-server does.
            unsafe setsockopt(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, size)
        }
        let length = address.length
        let bound = unsafe withUnsafePointer(to: &address.storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(fd, $0, length)
            }
        }
        guard bound == 0, Glibc.listen(fd, 1_024) == 0 else {
            let failure = SystemFailure("listen")
            close(fd)
            throw failure
        }
        return (fd, SocketAddress(local: fd).port)
    }

    private static func resolve(
        host: String, port: UInt16
    ) throws(SystemFailure) -> (storage: sockaddr_storage, length: socklen_t) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let name = host.isEmpty ? "0.0.0.0" : host
        let status = unsafe getaddrinfo(name, String(port), &hints, &found)
        guard status == 0, let first = unsafe found, let address = unsafe first.pointee.ai_addr
        else {
            throw SystemFailure("lookup \(host)", code: EADDRNOTAVAIL)
        }
        defer { unsafe freeaddrinfo(found) }
        var storage = sockaddr_storage()
        let length = unsafe first.pointee.ai_addrlen
        unsafe memcpy(&storage, address, Int(length))
        return (storage, length)
    }
}

/// An IP address and a port, as text for INFO and /connz.
struct SocketAddress {
    var ip = ""
    var port: UInt16 = 0

    init(ip: String, port: UInt16) {
        self.ip = ip
        self.port = port
    }

    init(local fd: Int32) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(fd, $0, &length)
            }
        }
        if status == 0 { self.init(storage) } else { self.init(ip: "", port: 0) }
    }

    init(_ storage: sockaddr_storage) {
        var copy = storage
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var service = [CChar](repeating: 0, count: 32)
        let status = unsafe withUnsafePointer(to: &copy) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getnameinfo(
                    $0, socklen_t(MemoryLayout<sockaddr_storage>.size), &host,
                    socklen_t(host.count), &service, socklen_t(service.count),
                    NI_NUMERICHOST | NI_NUMERICSERV)
            }
        }
        guard status == 0 else { return }
        let name = String(
            decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // An IPv4 peer of a dual-stack socket is told its IPv4 address.
        ip = name.hasPrefix("::ffff:") ? String(name.dropFirst(7)) : name
        port =
            UInt16(
                String(
                    decoding: service.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
                    as: UTF8.self)) ?? 0
    }
}
