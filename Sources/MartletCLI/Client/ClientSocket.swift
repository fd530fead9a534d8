import Glibc
import MartletBroker

/// A blocking TCP connection with a deadline for everything.
final class ClientSocket {
    enum Outcome {
        case bytes
        case timeout
        case closed
    }

    private let descriptor: Int32

    /// Tries every address of the name, in their order.
    init(_ place: HostAndPort, deadline: Deadline) throws(CommandFailure) {
        let addresses: [SocketAddress]
        do throws(SocketAddress.LookupFailure) {
            addresses = try SocketAddress.resolve(place)
        } catch {
            throw .noConnection("cannot connect to \(place): \(error)")
        }
        var problem: Int32 = 0
        for address in addresses {
            do throws(SystemFailure) {
                descriptor = try Self.connect(address, deadline)
                return
            } catch { problem = error.code }
        }
        throw .noConnection("cannot connect to \(place): \(SystemError.text(problem))")
    }

    deinit { close(descriptor) }

    private static func connect(
        _ address: SocketAddress, _ deadline: Deadline
    ) throws(SystemFailure) -> Int32 {
        let descriptor = try Connector.begin(address)
        do throws(SystemFailure) {
            guard wait(descriptor, for: POLLOUT, deadline) else {
                throw SystemFailure("connect", code: ETIMEDOUT)
            }
            try Connector.finish(descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

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
                    throw .noConnection("the server does not read what is sent")
                }
            } else if errno != EINTR {
                throw .noConnection("connection lost: \(SystemError.text(errno))")
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

    private static func wait(_ socket: Int32, for events: Int32, _ deadline: Deadline) -> Bool {
        while true {
            var status = pollfd(fd: socket, events: Int16(events), revents: 0)
            let count = unsafe poll(&status, 1, deadline.millisecondsLeft)
            if count != -1 || errno != EINTR { return count == 1 }
        }
    }
}
