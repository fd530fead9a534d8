import Glibc

/// A message as it stands in a link's receive buffer.
@safe struct Message {
    var payload: UnsafePointer<UInt8>
    var byteCount: Int
    var reply: UnsafePointer<UInt8>
    var replyCount: Int
    /// What it was published to; only NATS has it at a place that is known without a search.
    var subject: UnsafePointer<UInt8>?

    /// Every payload starts with the moment it was due.
    @inline(__always)
    var dueMoment: UInt64 {
        unsafe UnsafeRawPointer(payload).loadUnaligned(as: UInt64.self)
    }
}

/// The first operation in a link's receive buffer.
enum Frame {
    /// More bytes are needed.
    case partial
    case message(Message, frameBytes: Int)
    /// The answer to a ping of ours.
    case pong(frameBytes: Int)
    /// A ping that wants an answer.
    case ping(frameBytes: Int)
    /// Acknowledgements and greetings.
    case other(frameBytes: Int)
}

/// The text of a line that tells of an error, without its line end.
func lineText(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> String {
    let text = unsafe String(
        decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    return text.trimmingLineEnd
}

extension String {
    fileprivate var trimmingLineEnd: String {
        String(self[..<(firstIndex { $0 == "\r\n" || $0 == "\n" || $0 == "\r" } ?? endIndex)])
    }
}
