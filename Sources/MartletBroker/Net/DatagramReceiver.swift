import CMartletSystem
import Glibc

/// A Unix domain socket that takes datagrams, and tells of each which process has sent it: whoever sees the
/// socket's name may write to it.
package struct DatagramReceiver: ~Copyable {
    private let descriptor: Int32

    package init(at address: SocketAddress) throws(SystemFailure) {
        let descriptor = try Socket.make(address.family, .datagram)
        do throws(SystemFailure) {
            try Socket.set(SO_PASSCRED, of: SOL_SOCKET, to: 1, on: descriptor)
            let status = unsafe address.withPointer { unsafe bind(descriptor, $0, $1) }
            guard status == 0 else { throw SystemFailure("bind") }
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The next datagram, cut off after `bytesMax`, and its sender, 0 if that is unknown; nil if none comes
    /// in time.
    package borrowing func receive(
        atMost bytesMax: Int, withinMilliseconds milliseconds: Int32
    ) -> (bytes: ArraySlice<UInt8>, sender: pid_t)? {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&waiting, 1, milliseconds) > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        var sender: pid_t = 0
        let count = unsafe martlet_receive_datagram(descriptor, &bytes, bytes.count, &sender)
        return count < 0 ? nil : (bytes[..<count], sender)
    }
}
