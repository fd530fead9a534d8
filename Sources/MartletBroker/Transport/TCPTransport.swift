import CMartletSystem
import Glibc

/// A socket that carries the protocol as it is.
///
/// SAFETY: a connection that has ended has no descriptor, so that it cannot read or write what another
/// connection got the same number for; debug builds check it.
struct TCPTransport {
    let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Small messages must not wait for the acknowledgement of earlier ones.
    init(accepted descriptor: Int32) {
        self.descriptor = descriptor
        Socket.disableNagle(descriptor)
    }

    @inline(__always)
    func receive(into buffer: MutableBytes, _ count: Int) -> ReadOutcome {
        assert(descriptor >= 0)
        while true {
            let n = unsafe martlet_receive(descriptor, buffer, count)
            if n > 0 { return .bytes(n) }
            if n == 0 { return .closed(0) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wantsRead : .closed(errno)
        }
    }

    /// Fills the first of two parts, then the second.
    @inline(__always)
    func receive(into parts: UnsafeMutablePointer<iovec>) -> ReadOutcome {
        assert(descriptor >= 0)
        while true {
            let n = unsafe readv(descriptor, parts, 2)
            if n > 0 { return .bytes(n) }
            if n == 0 { return .closed(0) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wantsRead : .closed(errno)
        }
    }

    /// A short write says that the socket is full; asking again would only be told so.
    @inline(__always)
    func send(
        _ parts: UnsafeMutablePointer<iovec>, _ count: Int, byteCount: Int
    ) -> WriteOutcome {
        assert(descriptor >= 0)
        while true {
            let n: Int
            if count == 1 {
                n = unsafe martlet_send(descriptor, parts[0].iov_base, parts[0].iov_len)
            } else {
                var message = unsafe msghdr()
                unsafe message.msg_iov = unsafe parts
                unsafe message.msg_iovlen = count
                n = unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
            }
            if n == byteCount { return .complete }
            if n >= 0 { return .wantsWrite(after: n) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wantsWrite(after: 0) : .closed(errno)
        }
    }

    /// Closing a socket with unread input resets it, which can cost the peer the -ERR that it has not
    /// read yet: what has come is read and thrown away first, up to 1 MiB.
    func discardInput(into buffer: MutableBytes, _ count: Int) {
        shutdown(descriptor, Int32(SHUT_WR))
        for _ in 0..<16 {
            guard case .bytes = unsafe receive(into: buffer, count) else { return }
        }
    }

    func close() { Glibc.close(descriptor) }
}
