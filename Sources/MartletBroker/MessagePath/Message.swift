// Message path, beside Publish.swift: a message as deliveries see it.

/// A published message, as places of its bytes: in the receive buffer of the publisher's loop, in a
/// batch on another loop, and its payload apart if that is large.
@safe
struct Message: BitwiseCopyable {
    var subject: Bytes
    var subjectCount: Int
    /// `[reply ][header size ]size CR LF`, and the payload with its CR LF if that stands behind it.
    var head: Bytes
    var headCount: Int
    /// Of `head`, the control line's part.
    var lineCount: Int
    /// Payload and CR LF where they stand elsewhere; else nothing.
    var body: Bytes
    var bodyCount: Int
    /// Payload and CR LF of a large message.
    var payload: PayloadRef?
    /// `head` starts with the reply subject, of so many bytes.
    var replyCount: Int
    /// Bytes of the header block; 0 without one.
    var headerBytes: Int
    /// Header block and payload, without CR LF.
    var totalBytes: Int
    /// Who published it, for policies and for a 503 that comes back.
    var publisher: SlabHandle
    var publisherLoop: UInt16
    var wantsNoResponders: Bool
    /// The publisher asked for `echo: false`.
    var excludesPublisher: Bool

    var withoutNoResponders: Message {
        var copy = self
        copy.wantsNoResponders = false
        return copy
    }

    /// Header block and payload.
    var content: Bytes {
        if let payload { return unsafe Bytes(PayloadBuffer.bytes(payload)) }
        return unsafe bodyCount > 0 ? body : head + lineCount
    }
}

/// A message in a batch: this header, the destinations, then the bytes of subject, head, body and
/// queue, each batch record a multiple of 8 bytes.
@safe
struct BatchRecord: BitwiseCopyable {
    var byteCount: Int
    var message: Message
    var destinationCount: Int
    /// For a queue group: its name and its account, so that another member can be found if this one has
    /// gone.
    var queueCount: Int
    var account: AccountRef?

    static func byteCount(_ message: Message, destinations: Int, queueCount: Int) -> Int {
        let bytes =
            MemoryLayout<BatchRecord>.stride
            + destinations * MemoryLayout<Destination>.stride
            + message.subjectCount + message.headCount + message.bodyCount + queueCount
        // 16 bytes of slack behind the bytes, which short copies may read.
        return (bytes + 16 + 7) & ~7
    }
}
