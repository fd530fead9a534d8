import CMartletSystem
import Glibc

/// Makes connections without ever waiting: whoever does decides how, with `poll` or on a loop.
package enum Connector {
    /// A non-blocking socket whose connection is made or under way. It becomes writable when the attempt has
    /// ended; `finish` says how. The caller closes it.
    package static func begin(
        _ address: SocketAddress, _ kind: SocketKind = .stream
    ) throws(SystemFailure) -> Int32 {
        let descriptor = try Socket.make(address.family, kind)
        let status = unsafe address.withPointer { unsafe connect(descriptor, $0, $1) }
        guard status == 0 || errno == EINPROGRESS else {
            let failure = SystemFailure("connect")
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    /// Throws what became of a TCP connection that could not be made.
    package static func finish(_ descriptor: Int32) throws(SystemFailure) {
        var problem: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &length)
        guard problem == 0 else { throw SystemFailure("connect", code: problem) }
        Socket.disableNagle(descriptor)
    }
}
