import Glibc

/// An address of the socket interface, resolved once.
struct SocketAddress {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let storage: [UInt8]
    private let family: Int32
    private let type: Int32

    /// A Unix domain socket.
    init(path: String, type: __socket_type) {
        let bytes = Array(path.utf8.prefix(107))
        let family = UInt16(AF_UNIX)
        storage = [UInt8(family & 0xFF), UInt8(family >> 8)] + bytes + [0]
        self.family = AF_UNIX
        self.type = Int32(type.rawValue)
    }

    private init(storage: [UInt8], family: Int32, type: Int32) {
        self.storage = storage
        self.family = family
        self.type = type
    }

    /// The first address of a name.
    init(hostAndPort: HostAndPort, type: __socket_type) throws(Failure) {
        self = try Self.resolve(hostAndPort, type: type)[0]
    }

    /// Every address of a name, in the order to try them.
    static func resolve(
        _ target: HostAndPort, type: __socket_type
    ) throws(Failure) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(type.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(target.host, String(target.port), &hints, &list)
        guard code == 0 else {
            let reason = unsafe gai_strerror(code).map { unsafe String(cString: $0) }
            throw Failure(description: "lookup \(target.host): \(reason ?? "error \(code)")")
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            let bytes = unsafe UnsafeRawBufferPointer(
                start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
            addresses.append(
                SocketAddress(
                    storage: unsafe Array(bytes), family: unsafe entry.pointee.ai_family,
                    type: Int32(type.rawValue)))
            unsafe next = entry.pointee.ai_next
        }
        guard !addresses.isEmpty else {
            throw Failure(description: "lookup \(target.host): no addresses")
        }
        return addresses
    }

    /// A non-blocking socket whose connection is made or under way, or -1 with `errno`.
    func connectWithoutWaiting() -> Int32 {
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type | flags, 0)
        guard descriptor >= 0 else { return -1 }
        let result = unsafe storage.withUnsafeBytes {
            unsafe connect(
                descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                socklen_t($0.count))
        }
        if result == 0 || errno == EINPROGRESS { return descriptor }
        let code = errno
        close(descriptor)
        errno = code
        return -1
    }
}
