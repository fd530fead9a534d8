import Glibc

/// RESP2: https://redis.io/docs/latest/develop/reference/protocol-spec
enum RedisWire {
    static let ping = command(["PING"])

    /// A subject with wildcards is a pattern; Redis' `*` stands for anything, dots included.
    static func subscribe(_ subject: String) -> [UInt8] {
        isPattern(subject)
            ? command(["PSUBSCRIBE", pattern(subject)]) : command(["SUBSCRIBE", subject])
    }

    static func unsubscribe(_ subject: String) -> [UInt8] {
        isPattern(subject)
            ? command(["PUNSUBSCRIBE", pattern(subject)]) : command(["UNSUBSCRIBE", subject])
    }

    static func publishHead(_ subject: String, payloadBytes: Int) -> [UInt8] {
        Array(
            "*3\r\n$7\r\nPUBLISH\r\n$\(subject.utf8.count)\r\n\(subject)\r\n$\(payloadBytes)\r\n"
                .utf8)
    }

    private static func isPattern(_ subject: String) -> Bool {
        subject.contains("*") || subject.contains(">")
    }

    private static func pattern(_ subject: String) -> String {
        String(subject.map { $0 == ">" ? "*" : $0 })
    }

    private static func command(_ words: [String]) -> [UInt8] {
        Array(
            words.reduce("*\(words.count)\r\n") { $0 + "$\($1.utf8.count)\r\n\($1)\r\n" }.utf8)
    }

    @inline(__always)
    static func frame(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws -> Frame {
        guard let line = unsafe lineBytes(bytes, 0, count) else { return .partial }
        switch unsafe bytes[0] {
        case UInt8(ascii: "*"): return try unsafe array(bytes, line, count)
        case UInt8(ascii: "-"):
            throw LoadFailure("the server said \(unsafe lineText(bytes, line))")
        case UInt8(ascii: "+"):
            return unsafe bytes[1] == UInt8(ascii: "P")
                ? .pong(frameBytes: line) : .other(frameBytes: line)
        default: return .other(frameBytes: line)  // how many received a PUBLISH
        }
    }

    /// `message channel payload`, `pmessage pattern channel payload`, `subscribe channel count`, `pong …`
    @inline(__always)
    private static func array(
        _ bytes: UnsafeMutablePointer<UInt8>, _ firstLine: Int, _ count: Int
    ) throws -> Frame {
        let elements = unsafe decimal(bytes, 1)
        var i = firstLine
        var kind = UInt8(0)
        var last = 0..<0
        for element in 0..<elements {
            guard let line = unsafe lineBytes(bytes, i, count) else { return .partial }
            guard unsafe bytes[i] == UInt8(ascii: "$") else {
                i &+= line
                continue
            }
            let size = unsafe decimal(bytes, i &+ 1)
            i &+= line
            guard i &+ size &+ 2 <= count else { return .partial }
            last = i..<(i &+ size)
            // Of "message", "pmessage" and "pong" only these letters stand at these places.
            if element == 0 {
                kind = unsafe size >= 7 ? bytes[last.upperBound &- 7] : bytes[i]
            }
            i &+= size &+ 2
        }
        if kind == UInt8(ascii: "m") {
            let payload = unsafe UnsafePointer(bytes + last.lowerBound)
            let message = unsafe Message(
                payload: payload, byteCount: last.count, reply: payload, replyCount: 0)
            return .message(message, frameBytes: i)
        }
        return kind == UInt8(ascii: "p") ? .pong(frameBytes: i) : .other(frameBytes: i)
    }

    /// Bytes up to and with the line feed.
    @inline(__always)
    private static func lineBytes(
        _ bytes: UnsafeMutablePointer<UInt8>, _ start: Int, _ count: Int
    ) -> Int? {
        guard start < count, let end = unsafe memchr(bytes + start, 10, count &- start) else {
            return nil
        }
        return unsafe UnsafeRawPointer(end) - UnsafeRawPointer(bytes + start) + 1
    }

    @inline(__always)
    private static func decimal(_ bytes: UnsafeMutablePointer<UInt8>, _ start: Int) -> Int {
        var value = 0
        var i = start
        while unsafe (48...57).contains(bytes[i]) {
            value = value &* 10 &+ Int(unsafe bytes[i] &- 48)
            i &+= 1
        }
        return value
    }
}
