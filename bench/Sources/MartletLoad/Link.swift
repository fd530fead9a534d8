import CLoadSystem
import Glibc

/// A message as it stands in a link's receive buffer.
@safe struct Message {
    var payload: UnsafePointer<UInt8>
    var byteCount: Int
    var reply: UnsafePointer<UInt8>
    var replyCount: Int
}

/// One client connection: what it sends is gathered until `flush`.
final class Link {
    let descriptor: Int32
    /// Its place in the poller's list.
    let index: Int
    private var input = ByteQueue(capacity: 1 << 18)
    private var output = ByteQueue(capacity: 1 << 16)
    private(set) var pongs = 0
    private(set) var isBlocked = false
    var isDirty = false

    init(_ address: ServerAddress, index: Int) throws {
        descriptor = try address.connect()
        self.index = index
    }

    /// Bytes that the socket has not taken yet.
    var pendingBytes: Int { output.count }

    func send(_ text: String) {
        var copy = text
        copy.withUTF8 { unsafe output.append($0.baseAddress!, $0.count) }
    }

    /// `head` up to the payload, then the payload, which starts with the moment it was due, then CR LF.
    @inline(__always)
    func send(
        _ head: UnsafePointer<UInt8>, _ headCount: Int, due: UInt64,
        _ payload: UnsafePointer<UInt8>, _ payloadCount: Int
    ) {
        let room = unsafe output.room(for: headCount &+ payloadCount &+ 2)
        unsafe memcpy(room, head, headCount)
        unsafe memcpy(room + headCount, payload, payloadCount)
        if payloadCount >= 8 {
            unsafe UnsafeMutableRawPointer(room + headCount).storeBytes(of: due, as: UInt64.self)
        }
        unsafe room[headCount &+ payloadCount] = 13
        unsafe room[headCount &+ payloadCount &+ 1] = 10
        output.add(headCount &+ payloadCount &+ 2)
    }

    /// Writes what was gathered; what the socket does not take waits for it to be writable.
    func flush() throws {
        while output.count > 0 {
            let sent = unsafe Glibc.send(
                descriptor, output.first, output.count, Int32(MSG_NOSIGNAL))
            if sent >= 0 {
                output.take(sent)
            } else if errno == EAGAIN {
                isBlocked = true
                return
            } else if errno != EINTR {
                throw LoadFailure.system("send")
            }
        }
        isBlocked = false
    }

    /// One read; calls `received` for each whole message in it.
    @inline(__always)
    func receive(_ received: (Message) throws -> Void) throws {
        let room = unsafe input.room(for: 1 << 16)
        let count = unsafe recv(descriptor, room, input.roomLeft, 0)
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            throw count == 0
                ? LoadFailure("the server closed a connection") : LoadFailure.system("recv")
        }
        input.add(count)
        while let taken = try unsafe frame(input.first, input.count, received) { input.take(taken) }
    }

    /// Bytes of the first protocol operation; nil if it is not whole.
    @inline(__always)
    private func frame(
        _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ received: (Message) throws -> Void
    ) throws -> Int? {
        guard let lineFeed = unsafe memchr(bytes, 10, count) else { return nil }
        let line = unsafe UnsafeRawPointer(lineFeed) - UnsafeRawPointer(bytes) + 1
        switch unsafe (bytes[0], bytes[1]) {
        case (UInt8(ascii: "M"), _):
            return try unsafe message(bytes, line, count, received)
        case (UInt8(ascii: "P"), UInt8(ascii: "I")): send("PONG\r\n")
        case (UInt8(ascii: "P"), _): pongs += 1
        case (UInt8(ascii: "-"), _):
            let text = unsafe String(
                decoding: UnsafeBufferPointer(start: bytes, count: line), as: UTF8.self)
            throw LoadFailure("the server said \(text.dropLast(2))")
        default: break  // INFO, +OK
        }
        return line
    }

    /// `MSG subject sid [reply] size CR LF payload CR LF`
    @inline(__always)
    private func message(
        _ bytes: UnsafeMutablePointer<UInt8>, _ line: Int, _ count: Int,
        _ received: (Message) throws -> Void
    ) throws -> Int? {
        var size = 0
        var scale = 1
        var i = line &- 3
        while unsafe bytes[i] != 32 {
            size &+= Int(unsafe bytes[i] &- 48) &* scale
            scale &*= 10
            i &-= 1
        }
        guard line &+ size &+ 2 <= count else { return nil }
        let replyEnd = i
        i &-= 1
        while unsafe bytes[i] != 32 { i &-= 1 }
        try unsafe received(
            Message(
                payload: UnsafePointer(bytes + line), byteCount: size,
                reply: UnsafePointer(bytes + i + 1), replyCount: replyEnd &- i &- 1))
        return line &+ size &+ 2
    }

    deinit {
        close(descriptor)
        input.deallocate()
        output.deallocate()
    }
}
