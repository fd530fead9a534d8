import Glibc

/// One thing that the broker says to a handler's connection, as places in the buffer that it came in.
struct HandlerFrame: BitwiseCopyable {
    enum Kind: BitwiseCopyable {
        case message, info, ping, pong, ok, error
    }

    var kind: Kind
    var subject = ByteRange.empty
    /// Empty without one.
    var reply = ByteRange.empty
    var header = ByteRange.empty
    /// Of a message; the rest of the line of anything else.
    var payload = ByteRange.empty
    /// Where the next frame starts.
    var end: Int

    enum Outcome {
        case frame(HandlerFrame)
        /// The frame has so many bytes; 0 when even its line is not there.
        case incomplete(wanted: Int)
        case violation
    }

    /// Words behind a verb: subject, sid, reply, bytes of the header, bytes in all.
    private static let wordsMax = 5

    /// The frame that starts at `start`.
    static func parse(_ bytes: Bytes, from start: Int, to end: Int) -> Outcome {
        guard
            let found = unsafe memchr(bytes + start, Int32(UInt8.lineFeed), end &- start)
        else { return .incomplete(wanted: 0) }
        let lineFeed = unsafe UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - bytes
        guard lineFeed > start, unsafe bytes[lineFeed - 1] == .carriageReturn else {
            return .violation
        }
        let lineEnd = lineFeed &- 1
        switch unsafe bytes[start] {
        case UInt8(ascii: "M"):
            return unsafe message(bytes, start, 4, lineEnd, hasHeader: false, to: end)
        case UInt8(ascii: "H"):
            return unsafe message(bytes, start, 5, lineEnd, hasHeader: true, to: end)
        case UInt8(ascii: "I"): return line(.info, start &+ 5, lineEnd)
        case UInt8(ascii: "+"): return line(.ok, lineEnd, lineEnd)
        case UInt8(ascii: "-"): return line(.error, start &+ 5, lineEnd)
        case UInt8(ascii: "P"):
            return unsafe line(
                bytes[start &+ 1] == UInt8(ascii: "I") ? .ping : .pong, lineEnd, lineEnd)
        default: return .violation
        }
    }

    private static func line(_ kind: Kind, _ start: Int, _ end: Int) -> Outcome {
        .frame(
            HandlerFrame(
                kind: kind, payload: ByteRange(from: min(start, end), to: end), end: end &+ 2))
    }

    private static func message(
        _ bytes: Bytes, _ start: Int, _ verbCount: Int, _ lineEnd: Int, hasHeader: Bool, to end: Int
    ) -> Outcome {
        var words = InlineArray<5, ByteRange>(repeating: .empty)
        var count = 0
        var position = start &+ verbCount
        while position < lineEnd {
            let first = position
            while position < lineEnd, unsafe bytes[position] != .space { position &+= 1 }
            if position > first {
                guard count < Self.wordsMax else { return .violation }
                words[count] = ByteRange(from: first, to: position)
                count &+= 1
            }
            position &+= 1
        }
        let sizes = hasHeader ? 2 : 1
        guard count == 2 + sizes || count == 3 + sizes,
            let total = unsafe number(bytes, words[count - 1]),
            let headerCount = unsafe hasHeader ? number(bytes, words[count - 2]) : 0,
            headerCount <= total
        else { return .violation }
        let body = lineEnd &+ 2
        guard end &- body >= total &+ 2 else {
            return .incomplete(wanted: body &+ total &+ 2 &- start)
        }
        return .frame(
            HandlerFrame(
                kind: .message, subject: words[0], reply: count == 3 + sizes ? words[2] : .empty,
                header: ByteRange(from: body, to: body &+ headerCount),
                payload: ByteRange(from: body &+ headerCount, to: body &+ total),
                end: body &+ total &+ 2))
    }

    private static func number(_ bytes: Bytes, _ word: ByteRange) -> Int? {
        guard word.count > 0, word.count < 10 else { return nil }
        var value = 0
        for i in Int(word.start)..<(Int(word.start) + word.length) {
            let digit = unsafe bytes[i] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }
}
