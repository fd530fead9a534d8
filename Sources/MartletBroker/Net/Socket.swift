import CMartletSystem
import Glibc

/// System calls that make sockets and set their options.
enum Socket {
    /// A non-blocking socket that no child of the process inherits.
    static func make(_ family: Int32, _ type: __socket_type) throws(SystemFailure) -> Int32 {
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, Int32(type.rawValue) | flags, 0)
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
