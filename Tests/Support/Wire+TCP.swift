import Glibc
import MartletBroker

extension Wire {
    public static let tcp = Wire(
        description: "tcp",
        configure: { _ in },
        connect: { broker, pendingBytes in
            try TCPEnd(port: broker.clientPort, receiveBufferBytes: pendingBytes)
        })
}

/// A TCP connection to 127.0.0.1.
///
/// SAFETY: `isOpen` changes when a test closes, which it does while it neither sends nor receives; `chunk` is the
/// receiver's.
final class TCPEnd: WireEnd, @unchecked Sendable {
    private let descriptor: Int32
    private var isOpen = true
    private var chunk = [UInt8](repeating: 0, count: 256 << 10)

    init(port: Int, receiveBufferBytes: Int? = nil) throws(ClientFailure) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .connect(code: errno) }
        // Before it connects: the window is agreed on then.
        if let receiveBufferBytes { set(SO_RCVBUF, Int32(receiveBufferBytes)) }
        set(TCP_NODELAY, Int32(1), level: Int32(IPPROTO_TCP))
        let code = withLoopback(port) { Glibc.connect(descriptor, $0, $1) }
        guard code == 0 else {
            // The initialiser of a class that fails this late still runs `deinit`, which closes.
            throw .connect(code: errno)
        }
    }

    deinit { close() }

    func send(_ bytes: ArraySlice<UInt8>) throws(ClientFailure) -> Int {
        let count = bytes.withUnsafeBytes {
            Glibc.send(
                descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        if count >= 0 { return count }
        guard errno == EAGAIN else { throw .send(code: errno) }
        return 0
    }

    func receive(_ countMax: Int, into bytes: inout [UInt8]) -> WireInput {
        let count = recv(descriptor, &chunk, min(chunk.count, countMax), Int32(MSG_DONTWAIT))
        if count > 0 {
            bytes += chunk[..<count]
            return .bytes
        }
        // A reset is an end as well.
        return count < 0 && errno == EAGAIN ? .nothingYet : .end
    }

    func wait(for change: WireChange, seconds: Double) -> Bool {
        let events = change == .input ? POLLIN : POLLOUT
        var one = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return poll(&one, 1, Int32(seconds * 1_000)) > 0
    }

    /// Whether the peer's kernel has it.
    var hasSentAll: Bool {
        var waiting: CInt = 0
        return ioctl(descriptor, UInt(TIOCOUTQ), &waiting) == 0 && waiting == 0
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(descriptor)
    }

    func reset() {
        set(SO_LINGER, linger(l_onoff: 1, l_linger: 0))
        close()
    }

    private func set<Value: BitwiseCopyable>(
        _ option: Int32, _ value: Value, level: Int32 = SOL_SOCKET
    ) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Value>.size))
    }
}

/// Calls with the address of a port of 127.0.0.1.
private func withLoopback<Result>(
    _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// A port of 127.0.0.1 that nobody listens on now, which is as good as it gets for a server that is
/// told its port.
public func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { Glibc.close(descriptor) }
    guard withLoopback(0, { bind(descriptor, $0, $1) }) == 0 else {
        throw ClientFailure.connect(code: errno)
    }
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            getsockname(descriptor, $0, &length)
        }
    }
    guard code == 0 else { throw ClientFailure.connect(code: errno) }
    return Int(UInt16(bigEndian: address.sin_port))
}
