import CMartletSystem
import Glibc

/// How a socket's bytes come: in order and without bounds, or as datagrams.
package enum SocketKind: Sendable {
    case stream, datagram
}

/// System calls that make sockets and set their options.
enum Socket {
    /// A non-blocking socket that no child of the process inherits.
    static func make(_ family: Int32, _ kind: SocketKind) throws(SystemFailure) -> Int32 {
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let type = Int32((kind == .stream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
        let descriptor = socket(family, type | flags, 0)
        guard descriptor >= 0 else { throw SystemFailure("socket") }
        return descriptor
    }

    static func set(
        _ option: Int32, of level: Int32, to value: Int32, on descriptor: Int32
    ) throws(SystemFailure) {
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(descriptor, level, option, &value, size) == 0 else {
            throw SystemFailure("setsockopt")
        }
    }

    /// Small messages must not wait for the acknowledgement of earlier ones. A socket that was reset
    /// meanwhile has no such option any more, which its owner hears when it reads.
    static func disableNagle(_ descriptor: Int32) {
        try? set(TCP_NODELAY, of: Int32(IPPROTO_TCP), to: 1, on: descriptor)
    }
}
