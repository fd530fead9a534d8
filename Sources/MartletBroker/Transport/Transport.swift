import CMartletSystem
import Glibc

/// Where a connection's bytes come from and go to, as what the message path has to know of it.
///
/// A new transport is a case here and a file beside. One that encrypts has a `descriptor` but no
/// `directDescriptor`, says by `hasBufferedInput` whether a record is left that the poller knows nothing
/// of, and by its outcomes what it waits for. Its handshake is advanced in `descriptorIsReady`, before
/// anything is read.
///
/// SAFETY: a pipe is retained until `close`, which its connection calls once, when it ends.
@safe
enum Transport {
    case tcp(TCPTransport)
    /// A peer in this process: embedding and simulation.
    case pipe(Unmanaged<MemoryPipe>)

    /// Of a connection that has ended.
    static var closed: Transport { .tcp(TCPTransport(descriptor: -1)) }

    /// What the poller watches for it; nil where the other side says itself that something has changed.
    @inline(__always)
    var descriptor: Int32? {
        switch self {
        case .tcp(let tcp): tcp.descriptor
        case .pipe: nil
        }
    }

    /// A descriptor that takes frames as they are, and is full after a short write; nil where bytes have to
    /// pass through here.
    @inline(__always)
    var directDescriptor: Int32? {
        switch self {
        case .tcp(let tcp): tcp.descriptor
        case .pipe: nil
        }
    }

    /// Whether reading would give bytes or the end, unseen by the poller.
    @inline(__always)
    var hasBufferedInput: Bool {
        switch self {
        case .tcp: false
        case .pipe(let pipe): unsafe pipe._withUnsafeGuaranteedRef { $0.brokerHasInput }
        }
    }

    @inline(__always)
    func receive(into buffer: MutableBytes, _ count: Int) -> ReadOutcome {
        switch self {
        case .tcp(let tcp): unsafe tcp.receive(into: buffer, count)
        case .pipe(let pipe):
            unsafe pipe._withUnsafeGuaranteedRef { unsafe $0.brokerReceive(into: buffer, count) }
        }
    }

    /// Fills the first of two parts, then the second.
    @inline(__always)
    func receive(into parts: UnsafeMutablePointer<iovec>) -> ReadOutcome {
        switch self {
        case .tcp(let tcp): unsafe tcp.receive(into: parts)
        case .pipe:
            unsafe receive(
                into: parts[0].iov_base!.assumingMemoryBound(to: UInt8.self), parts[0].iov_len)
        }
    }

    /// Sends parts that hold `byteCount` bytes together.
    @inline(__always)
    func send(
        _ parts: UnsafeMutablePointer<iovec>, _ count: Int, byteCount: Int
    ) -> WriteOutcome {
        switch self {
        case .tcp(let tcp): unsafe tcp.send(parts, count, byteCount: byteCount)
        case .pipe(let pipe):
            unsafe pipe._withUnsafeGuaranteedRef {
                unsafe $0.brokerSend(parts, count, byteCount: byteCount)
            }
        }
    }

    /// Before `close`, so that what was sent last arrives although not all input was read.
    func discardInput(into buffer: MutableBytes, _ count: Int) {
        switch self {
        case .tcp(let tcp): unsafe tcp.discardInput(into: buffer, count)
        case .pipe: break
        }
    }

    /// Whether another loop can take it.
    var canMove: Bool {
        switch self {
        case .tcp: true
        case .pipe(let pipe): unsafe pipe._withUnsafeGuaranteedRef { $0.hasMoved != nil }
        }
    }

    /// Another loop has taken it: whoever wakes that for it must know.
    func hasMoved(to mail: Mailbox<LoopCommand>, _ handle: SlabHandle) {
        switch self {
        case .tcp: break
        case .pipe(let pipe):
            unsafe pipe._withUnsafeGuaranteedRef { $0.hasMoved?(mail, handle) }
        }
    }

    func close() {
        switch self {
        case .tcp(let tcp): tcp.close()
        case .pipe(let pipe):
            unsafe pipe.takeUnretainedValue().brokerClose()
            unsafe pipe.release()
        }
    }
}

/// What reading from a transport came to. One that has to write before it can read says so with a case of
/// its own.
enum ReadOutcome {
    case bytes(Int)
    /// There is nothing now; the poller or the other side says when there is.
    case wantsRead
    /// The peer is gone: end of stream, or the error number.
    case closed(Int32)
}

/// What writing to a transport came to. One that has to read before it can write says so with a case of
/// its own.
enum WriteOutcome {
    /// It took all of it, and may take more.
    case complete
    /// It took so many bytes, and takes no more before the poller or the other side says so.
    case wantsWrite(after: Int)
    /// The peer is gone: the error number.
    case closed(Int32)
}
