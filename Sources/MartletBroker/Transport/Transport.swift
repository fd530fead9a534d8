import CMartletSystem
import Glibc

/// Where a connection's bytes come from and go to. TLS becomes a case of its own.
@safe
enum Transport {
    case none
    case socket(Int32)
    /// A peer in this process: embedding and simulation.
    case memory(Unmanaged<MemoryPipe>)

    @inline(__always)
    func receive(into buffer: MutableBytes, _ count: Int) -> Socket.Outcome {
        switch self {
        case .socket(let fd): return unsafe Socket.receive(fd, into: buffer, count)
        case .memory(let pipe):
            return unsafe pipe._withUnsafeGuaranteedRef {
                unsafe $0.brokerReceive(into: buffer, count)
            }
        case .none: return .closed(0)
        }
    }

    /// Fills the first part, then the second.
    @inline(__always)
    func receive(into parts: UnsafeMutablePointer<iovec>) -> Socket.Outcome {
        switch self {
        case .socket(let fd): return unsafe Socket.receive(fd, into: parts, 2)
        case .memory, .none:
            return unsafe receive(
                into: parts[0].iov_base!.assumingMemoryBound(to: UInt8.self), parts[0].iov_len)
        }
    }

    @inline(__always)
    func send(_ parts: UnsafeMutablePointer<iovec>, _ count: Int) -> Socket.Outcome {
        switch self {
        case .socket(let fd): return unsafe Socket.send(fd, parts, count)
        case .memory(let pipe):
            return unsafe pipe._withUnsafeGuaranteedRef { unsafe $0.brokerSend(parts, count) }
        case .none: return .closed(0)
        }
    }

    /// Says that nothing more will be sent; the peer still can.
    func finishSending() {
        switch self {
        case .socket(let fd): shutdown(fd, Int32(SHUT_WR))
        case .memory(let pipe): unsafe pipe.takeUnretainedValue().brokerClose()
        case .none: break
        }
    }

    func close() {
        switch self {
        case .socket(let fd): Glibc.close(fd)
        case .memory(let pipe):
            unsafe pipe.takeUnretainedValue().brokerClose()
            unsafe pipe.release()
        case .none: break
        }
    }
}
