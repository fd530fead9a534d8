import Glibc

/// One thing that a server says to a client, as places in the buffer that it came in.
struct ServerFrame: BitwiseCopyable {
    enum Kind: BitwiseCopyable {
        case message, info, ping, pong, ok, error
    }

    var kind: Kind
    /// Which subscription a message is for.
    var subscriptionID: UInt64 = 0
    var subject = ByteRange.empty
    /// Empty without one.
    var reply = ByteRange.empty
    /// The whole header block, its first line and closing empty line included.
    var header = ByteRange.empty
    /// Of a message; the JSON of an INFO; the text of an -ERR, without its quotes.
    var payload = ByteRange.empty
    /// Where the next frame starts.
    var end: Int

    enum Outcome {
        case frame(ServerFrame)
        /// The end of the line is not there yet.
        case incompleteLine
        /// The frame has so many bytes, and not all are there yet.
        case incomplete(byteCount: Int)
        case violation(ServerProtocolViolation)
    }

    /// A line longer than this is no server's.
    static let lineBytesMax = 1 << 20
    /// Neither is a larger message: nats-server allows 64 MiB.
    static let messageBytesMax = 1 << 30
    /// Words behind MSG or HMSG: subject, sid, reply, bytes of the header, bytes in all.
    private static let wordsMax = 5

    /// The frame that starts at `start`, in what reaches up to `end`.
    static func read(_ bytes: Bytes, from start: Int, to end: Int) -> Outcome {
        assert(start >= 0 && start <= end)
        guard let found = unsafe memchr(bytes + start, Int32(UInt8.lineFeed), end &- start) else {
            return end &- start > lineBytesMax ? .violation(.lineTooLong) : .incompleteLine
        }
        let lineFeed = unsafe UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - bytes
        guard lineFeed > start, unsafe bytes[lineFeed - 1] == .carriageReturn else {
            return .violation(.lineEnd)
        }
        let line = Line(start: start, end: lineFeed &- 1)
        guard line.end &- start <= lineBytesMax else { return .violation(.lineTooLong) }
        switch unsafe bytes[start] {
        case UInt8(ascii: "M") where unsafe line.starts(with: "MSG ", bytes):
            return unsafe message(bytes, line, verbCount: 4, hasHeader: false, to: end)
        case UInt8(ascii: "H") where unsafe line.starts(with: "HMSG ", bytes):
            return unsafe message(bytes, line, verbCount: 5, hasHeader: true, to: end)
        case UInt8(ascii: "P") where unsafe line.isExactly("PING", bytes):
            return line.frame(.ping, from: line.end)
        case UInt8(ascii: "P") where unsafe line.isExactly("PONG", bytes):
            return line.frame(.pong, from: line.end)
        case UInt8(ascii: "I") where unsafe line.starts(with: "INFO ", bytes):
            return line.frame(.info, from: start &+ 5)
        case UInt8(ascii: "-") where unsafe line.starts(with: "-ERR ", bytes):
            return unsafe error(bytes, line)
        case UInt8(ascii: "+") where unsafe line.isExactly("+OK", bytes):
            return line.frame(.ok, from: line.end)
        default: return .violation(.unknownVerb)
        }
    }

    /// What the server says is what stands between the quotes.
    private static func error(_ bytes: Bytes, _ line: Line) -> Outcome {
        let (start, quote) = (line.start &+ 5, UInt8(ascii: "'"))
        guard line.end &- start >= 2,
            unsafe bytes[start] == quote && bytes[line.end &- 1] == quote
        else { return line.frame(.error, from: start) }
        var inside = Line(start: line.start, end: line.end &- 1).bare(.error, from: start &+ 1)
        inside.end = line.end &+ 2
        return .frame(inside)
    }

    /// `MSG subject sid [reply] size` or `HMSG subject sid [reply] header-size size`, and the message.
    private static func message(
        _ bytes: Bytes, _ line: Line, verbCount: Int, hasHeader: Bool, to end: Int
    ) -> Outcome {
        var words = InlineArray<5, ByteRange>(repeating: .empty)
        var count = 0
        var position = line.start &+ verbCount
        while position < line.end {
            let first = position
            while position < line.end, unsafe bytes[position] != .space { position &+= 1 }
            if position > first {
                guard count < Self.wordsMax else { return .violation(.messageLine) }
                words[count] = ByteRange(from: first, to: position)
                count &+= 1
            }
            position &+= 1
        }
        let sizes = hasHeader ? 2 : 1
        guard count == 2 &+ sizes || count == 3 &+ sizes,
            let id = unsafe number(bytes, words[1]),
            let total = unsafe number(bytes, words[count &- 1]),
            let headerCount = unsafe hasHeader ? number(bytes, words[count &- 2]) : 0,
            headerCount <= total
        else { return .violation(.messageLine) }
        guard total <= messageBytesMax else { return .violation(.messageTooLarge) }
        let body = line.end &+ 2
        let bodyEnd = body &+ total
        guard end &- bodyEnd >= 2 else {
            return .incomplete(byteCount: bodyEnd &+ 2 &- line.start)
        }
        guard unsafe bytes[bodyEnd] == .carriageReturn && bytes[bodyEnd &+ 1] == .lineFeed else {
            return .violation(.messageEnd)
        }
        return .frame(
            ServerFrame(
                kind: .message, subscriptionID: UInt64(id), subject: words[0],
                reply: count == 3 &+ sizes ? words[2] : .empty,
                header: ByteRange(from: body, to: body &+ headerCount),
                payload: ByteRange(from: body &+ headerCount, to: bodyEnd), end: bodyEnd &+ 2))
    }

    /// Digits only, and no more of them than fit.
    private static func number(_ bytes: Bytes, _ word: ByteRange) -> Int? {
        guard word.count > 0, word.count <= 18 else { return nil }
        var value = 0
        for i in Int(word.start)..<(Int(word.start) &+ word.length) {
            let digit = unsafe bytes[i] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }

    /// A line without its CR LF.
    private struct Line {
        let start: Int
        let end: Int

        func starts(with verb: StaticString, _ bytes: Bytes) -> Bool {
            let count = verb.utf8CodeUnitCount
            return unsafe end &- start >= count && memcmp(bytes + start, verb.utf8Start, count) == 0
        }

        func isExactly(_ verb: StaticString, _ bytes: Bytes) -> Bool {
            unsafe end &- start == verb.utf8CodeUnitCount && starts(with: verb, bytes)
        }

        func frame(_ kind: Kind, from position: Int) -> Outcome {
            .frame(bare(kind, from: position))
        }

        func bare(_ kind: Kind, from position: Int) -> ServerFrame {
            ServerFrame(
                kind: kind, payload: ByteRange(from: position, to: end), end: end &+ 2)
        }
    }
}
