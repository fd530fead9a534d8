// Message path, beside Publish.swift: a message as deliveries see it.

import Glibc

/// A published message, as places of its bytes: in the receive buffer of the publisher's loop, in a
/// batch on another loop, and its payload apart if that is large.
struct Message: BitwiseCopyable {
    var origin: Origin
    private(set) var subject: CountedBytes
    /// `[reply ][header size ]size CR LF`, and header block, payload and CR LF if they stand behind it.
    private(set) var head: CountedBytes
    /// Header block, payload and CR LF if they stand elsewhere; else nothing.
    private(set) var body: CountedBytes
    /// Header block, payload and CR LF of a large message.
    let payload: PayloadRef?
    /// Of `head`, the control line's part.
    let lineCount: Int
    /// `head` starts with the reply subject, of so many bytes.
    let replyCount: Int
    /// Bytes of the header block; 0 without one.
    let headerBytes: Int
    /// Header block and payload, without CR LF.
    let totalBytes: Int

    /// Where header block, payload and CR LF stand.
    ///
    /// SAFETY: as many bytes as the message's `totalBytes` and CR LF are readable there.
    @safe
    enum Content {
        case behindLine
        case elsewhere(Bytes)
        case shared(PayloadRef)
    }

    /// `line` is `[reply ][header size ]size CR LF`.
    @inline(__always)
    init(
        subject: CountedBytes, line: CountedBytes, replyCount: Int, headerBytes: Int,
        totalBytes: Int, content: Content, from origin: Origin
    ) {
        assert(replyCount < line.count && headerBytes <= totalBytes)
        self.origin = origin
        self.subject = subject
        self.replyCount = replyCount
        self.headerBytes = headerBytes
        self.totalBytes = totalBytes
        lineCount = line.count
        let contentCount = totalBytes &+ 2
        switch content {
        case .behindLine:
            // One copy takes both.
            head = unsafe CountedBytes(line.start, line.count &+ contentCount)
            body = line.prefix(0)
            payload = nil
        case .elsewhere(let bytes):
            head = line
            body = unsafe CountedBytes(bytes, contentCount)
            payload = nil
        case .shared(let shared):
            assert(shared.pointee.count == contentCount)
            head = line
            body = line.prefix(0)
            payload = shared
        }
    }

    /// Empty without one.
    @inline(__always)
    var reply: CountedBytes { head.prefix(replyCount) }

    /// Whether the publisher hears of it when nobody gets the message.
    @inline(__always)
    var wantsNoResponders: Bool { replyCount > 0 && origin.flags.contains(.noResponders) }

    var withoutNoResponders: Message {
        var copy = self
        copy.origin.flags.remove(.noResponders)
        return copy
    }

    /// Header block and payload.
    var content: CountedBytes {
        if let payload { return unsafe CountedBytes(PayloadBuffer.bytes(payload), totalBytes) }
        let place = body.isEmpty ? head.dropFirst(lineCount) : body
        return place.prefix(totalBytes)
    }
}

extension Message {
    /// What is copied when a message goes to another thread; a large payload is not.
    var copiedBytes: Int { subject.count + head.count + body.count }

    /// Copies the message's bytes to a place with room for `copiedBytes`.
    func copyBytes(to place: MutableBytes) {
        unsafe memcpy(place, subject.start, subject.count)
        unsafe memcpy(place + subject.count, head.start, head.count)
        unsafe memcpy(place + subject.count + head.count, body.start, body.count)
    }

    /// The same message, whose bytes `copyBytes` has copied to `place`.
    func moved(to place: Bytes) -> Message {
        var copy = self
        copy.subject = unsafe CountedBytes(place, subject.count)
        copy.head = unsafe CountedBytes(place + subject.count, head.count)
        copy.body = unsafe CountedBytes(place + subject.count + head.count, body.count)
        return copy
    }
}

/// A message in a batch: this header, the destinations, then the bytes of subject, head, body and
/// queue, each batch record a multiple of 8 bytes.
struct BatchRecord: BitwiseCopyable {
    var byteCount: Int
    var message: Message
    var destinationCount: Int
    /// For a queue group: its name, so that another member can be found if this one has gone.
    var queueCount: UInt32
    /// Whether the chosen member of a queue group keeps the message although it has no room: others had none
    /// either, or this is the second try.
    var isLastTry: Bool

    static func byteCount(_ message: Message, destinations: Int, queueCount: Int) -> Int {
        let bytes =
            MemoryLayout<BatchRecord>.stride
            + destinations * MemoryLayout<Destination>.stride
            + message.copiedBytes + queueCount
        // 16 bytes of slack behind the bytes, which short copies may read.
        return (bytes + 16 + 7) & ~7
    }
}
