import CLoadSystem
import Glibc

/// One client connection: what it sends is gathered until `flush`.
final class Link {
    /// Who gets to see its messages.
    enum Purpose {
        /// What is measured.
        case load
        /// Messages it receives want an answer.
        case responder
        /// It only keeps the server busy: nobody sees its messages, and it may be closed.
        case background
        /// As `background`, and it never reads.
        case stopped
    }

    let descriptor: Int32
    /// Its place in the poller's list.
    let index: Int
    let purpose: Purpose
    let wire: WireProtocol
    private var input = ByteQueue(capacity: 16)
    private var output = ByteQueue(capacity: 1 << 12)
    private(set) var pongs = 0
    private(set) var isBlocked = false
    /// The server has ended it; only links in the background outlive that.
    private(set) var isClosed = false
    var isDirty = false

    /// Most that one call sends or receives, so that large messages let small ones pass.
    private static let callBytesMax = 1 << 18

    init(_ address: ServerAddress, index: Int, purpose: Purpose) throws {
        // What the kernel would hold for a link that does not read keeps it from being slow.
        descriptor = try address.connect(receiveBytes: purpose == .stopped ? 1 << 16 : nil)
        wire = address.wire
        self.index = index
        self.purpose = purpose
        send(wire.hello)
    }

    /// Bytes that the socket has not taken yet.
    var pendingBytes: Int { output.count }

    var mayClose: Bool { purpose == .background || purpose == .stopped }

    func send(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer {
            if let base = $0.baseAddress { unsafe output.append(base, $0.count) }
        }
    }

    func subscribe(_ subject: String, number: Int = 1) {
        send(wire.subscribe(subject, number: number))
    }

    /// `head`, then the payload, which starts with the moment it was due.
    @inline(__always)
    func send(
        _ head: UnsafePointer<UInt8>, _ headCount: Int, due: UInt64,
        _ payload: UnsafePointer<UInt8>, _ payloadCount: Int
    ) {
        let room = unsafe send(head, headCount, payload, payloadCount)
        if payloadCount >= 8 {
            unsafe UnsafeMutableRawPointer(room + headCount).storeBytes(of: due, as: UInt64.self)
        }
    }

    /// `head`, then the payload as it is. Returns where the head stands until more is sent.
    @inline(__always)
    @discardableResult
    func send(
        _ head: UnsafePointer<UInt8>, _ headCount: Int,
        _ payload: UnsafePointer<UInt8>, _ payloadCount: Int
    ) -> UnsafeMutablePointer<UInt8> {
        let room = unsafe output.room(for: headCount &+ payloadCount &+ 2)
        unsafe memcpy(room, head, headCount)
        unsafe memcpy(room + headCount, payload, payloadCount)
        output.add(headCount &+ payloadCount)
        guard wire.endsPayloadWithLine else { return unsafe room }
        unsafe room[headCount &+ payloadCount] = 13
        unsafe room[headCount &+ payloadCount &+ 1] = 10
        output.add(2)
        return unsafe room
    }

    /// Writes some of what was gathered; what the socket does not take waits for it to be writable.
    func flush() throws {
        isBlocked = false
        while output.count > 0, !isClosed {
            let wanted = min(output.count, Self.callBytesMax)
            let sent = unsafe Glibc.send(descriptor, output.first, wanted, Int32(MSG_NOSIGNAL))
            if sent >= 0 {
                output.take(sent)
                if wanted == Self.callBytesMax { return }
            } else if errno == EAGAIN {
                isBlocked = true
                return
            } else if errno != EINTR {
                try close(because: LoadFailure.system("send"))
            }
        }
    }

    /// One read; calls `received` for each whole message in it.
    @inline(__always)
    func receive(_ received: (Message) throws -> Void) throws {
        let room = unsafe input.room(for: 1 << 16)
        let count = unsafe recv(descriptor, room, min(input.roomLeft, Self.callBytesMax), 0)
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            return try close(
                because: count == 0
                    ? LoadFailure("the server closed a connection") : LoadFailure.system("recv"))
        }
        input.add(count)
        while true {
            switch try unsafe wire.frame(input.first, input.count) {
            case .partial: return
            case .message(let message, let frameBytes):
                try received(message)
                input.take(frameBytes)
            case .pong(let frameBytes):
                pongs += 1
                input.take(frameBytes)
            case .ping(let frameBytes):
                send(NATSWire.pong)
                input.take(frameBytes)
            case .other(let frameBytes): input.take(frameBytes)
            }
        }
    }

    /// Reads up to so many bytes and forgets them.
    func discard(_ byteCount: Int) throws {
        let room = unsafe input.room(for: byteCount)
        let count = unsafe recv(descriptor, room, byteCount, 0)
        if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) {
            try close(because: LoadFailure.system("recv"))
        }
    }

    /// A link of the load must not end; one in the background may.
    func close(because failure: LoadFailure) throws {
        guard mayClose else { throw failure }
        isClosed = true
        output.take(output.count)
    }

    deinit {
        Glibc.close(descriptor)
        input.deallocate()
        output.deallocate()
    }
}
