import Glibc

/// A blocking TCP connection with a deadline for everything.
final class ClientSocket {
    enum Outcome {
        case bytes
        case timeout
        case closed
    }

    private let descriptor: Int32

    init(_ address: HostAndPort, deadline: Deadline) throws(CommandFailure) {
        let candidates: [SocketAddress]
        do {
            candidates = try SocketAddress.resolve(address, type: SOCK_STREAM)
        } catch {
            throw CommandFailure(description: "cannot connect to \(address): \(error)")
        }
        var problem: Int32 = 0
        for candidate in candidates {
            let socket = candidate.connectWithoutWaiting()
            problem = socket < 0 ? errno : Self.finishConnecting(socket, deadline)
            if problem == 0 {
                descriptor = socket
                return
            }
            if socket >= 0 { close(socket) }
        }
        throw CommandFailure(
            description: "cannot connect to \(address): \(SystemError.text(problem))")
    }

    deinit { close(descriptor) }

    /// Sends everything, or throws.
    func send(_ bytes: [UInt8], deadline: Deadline) throws(CommandFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                rest.removeFirst(count)
            } else if errno == EAGAIN {
                guard Self.wait(descriptor, for: POLLOUT, deadline) else {
                    throw CommandFailure(description: "the server does not read what is sent")
                }
            } else if errno != EINTR {
                throw CommandFailure(description: "connection lost: \(SystemError.text(errno))")
            }
        }
    }

    /// Appends what has come, or waits for it.
    func receive(into buffer: inout [UInt8], deadline: Deadline) -> Outcome {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 {
                buffer += chunk[..<count]
                return .bytes
            }
            if count < 0, errno == EINTR { continue }
            guard count < 0, errno == EAGAIN else { return .closed }
            guard Self.wait(descriptor, for: POLLIN, deadline) else { return .timeout }
        }
    }

    /// Zero, or the error number.
    private static func finishConnecting(_ socket: Int32, _ deadline: Deadline) -> Int32 {
        guard wait(socket, for: POLLOUT, deadline) else { return ETIMEDOUT }
        var problem: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &problem, &length)
        var on: Int32 = 1
        unsafe setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, length)
        return problem
    }

    private static func wait(_ socket: Int32, for events: Int32, _ deadline: Deadline) -> Bool {
        while true {
            var status = pollfd(fd: socket, events: Int16(events), revents: 0)
            let count = unsafe poll(&status, 1, deadline.millisecondsLeft)
            if count != -1 || errno != EINTR { return count == 1 }
        }
    }
}

/// Until when something may take; `never` waits for ever.
struct Deadline {
    private let at: ContinuousClock.Instant?

    static let never = Deadline(at: nil)

    static func after(seconds: Double) -> Deadline {
        Deadline(at: .now + .seconds(seconds))
    }

    private init(at: ContinuousClock.Instant?) { self.at = at }

    /// As `poll` wants it, rounded up.
    var millisecondsLeft: Int32 {
        guard let at else { return -1 }
        let left = ContinuousClock.now.duration(to: at) / .milliseconds(1)
        return Int32(max(0, min(left.rounded(.up), 1e9)))
    }
}
