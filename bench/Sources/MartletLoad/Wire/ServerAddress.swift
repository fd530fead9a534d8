import Glibc

/// Where the server listens, and how sockets to it are set up.
struct ServerAddress {
    let host: String
    let port: UInt16
    /// Congestion control of the sockets: bbr, where it is the default, paces loopback and says more
    /// about itself than about a server. Empty leaves the machine's.
    let congestion: String
    let wire: WireProtocol

    /// A connected, non-blocking socket without Nagle's delay. It holds so many bytes received, or as
    /// many as the kernel thinks good.
    func connect(receiveBytes: Int32? = nil) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw LoadFailure.system("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw LoadFailure("\(host) is not an IPv4 address")
        }
        try setUp(descriptor)
        if var receiveBytes {
            unsafe setsockopt(
                descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBytes,
                socklen_t(MemoryLayout<Int32>.size))
        }
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, size)
            }
        }
        guard status == 0 else { throw LoadFailure.system("connect to \(host):\(port)") }
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw LoadFailure.system("fcntl") }
        return descriptor
    }

    private func setUp(_ descriptor: Int32) throws {
        var on: Int32 = 1
        unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        guard !congestion.isEmpty else { return }
        let status = unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_CONGESTION, congestion,
            socklen_t(congestion.utf8.count))
        guard status == 0 else { throw LoadFailure.system("TCP_CONGESTION \(congestion)") }
    }
}
