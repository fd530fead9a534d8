import CMartletSystem
import Glibc

/// An address as the socket interface has it.
package struct SocketAddress: Sendable {
    /// A `sockaddr` of its family.
    private let bytes: [UInt8]

    /// A Unix domain socket; a path that is too long for one is cut off, and will not be found. One that
    /// begins with a NUL is no file, but a name among the sockets of this machine.
    package init(path: String) {
        let family = UInt16(AF_UNIX)
        bytes =
            [UInt8(family & 0xFF), UInt8(family >> 8)] + path.utf8.prefix(Self.pathBytesMax) + [0]
    }

    private static let pathBytesMax = 107

    init(_ storage: sockaddr_storage) {
        bytes = unsafe withUnsafeBytes(of: storage) { unsafe Array($0) }
    }

    /// Where a socket of this process is bound.
    init(local descriptor: Int32) throws(SystemFailure) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard status == 0 else { throw SystemFailure("getsockname") }
        self.init(storage)
    }

    private init(_ entry: addrinfo) {
        bytes = unsafe Array(
            UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen)))
    }

    var family: Int32 {
        bytes.count < 2 ? AF_UNSPEC : Int32(UInt16(bytes[0]) | UInt16(bytes[1]) << 8)
    }

    /// Of an IP address; 0 otherwise.
    package var port: UInt16 {
        guard family == AF_INET || family == AF_INET6 else { return 0 }
        // It stands at the same place for both, the more significant byte first.
        return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    }

    /// As text, for INFO and /connz; empty when it is no IP address.
    package var ip: String {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = unsafe withPointer {
            unsafe getnameinfo($0, $1, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
        }
        guard status == 0, family != AF_UNIX else { return "" }
        let name = String(
            decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // An IPv4 peer of a dual-stack socket is told its IPv4 address.
        return name.hasPrefix("::ffff:") ? String(name.dropFirst(7)) : name
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes {
            // It is only handed to the system, which reads the structure of its family there.
            unsafe body(
                $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    // MARK: Names

    /// A name that is no address.
    package struct LookupFailure: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Every address of a name, in the order to try them. It may ask a name server, and wait for it.
    ///
    /// - Parameter isForListening: an empty name then stands for all addresses of the machine.
    package static func resolve(
        _ target: HostAndPort, isForListening: Bool = false
    ) throws(LookupFailure) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        // Of a name's entries that differ in this only, one is enough: every address serves any type.
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV | (isForListening ? AI_PASSIVE : 0)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(
            target.host.isEmpty ? nil : target.host, String(target.port), &hints, &list)
        guard code == 0 else {
            let reason = unsafe gai_strerror(code).map { unsafe String(cString: $0) }
            throw LookupFailure(
                description: "lookup \(target.host): \(reason ?? "error \(code)")")
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            addresses.append(unsafe SocketAddress(entry.pointee))
            unsafe next = entry.pointee.ai_next
        }
        guard !addresses.isEmpty else {
            throw LookupFailure(description: "lookup \(target.host): no addresses")
        }
        return addresses
    }
}
