import Glibc

/// The NATS client protocol, as far as a load needs it.
enum NATSWire {
    static let hello = Array(
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"martlet-load\"}\r\n".utf8)
    static let ping = Array("PING\r\n".utf8)
    static let pong = Array("PONG\r\n".utf8)

    static func publishHead(
        _ subject: String, reply: String?, payloadBytes: Int
    ) -> (bytes: [UInt8], replyEnd: Int) {
        var text = "PUB \(subject) "
        if let reply { text += reply }
        let replyEnd = text.utf8.count
        if reply != nil { text += " " }
        text += "\(payloadBytes)\r\n"
        return (Array(text.utf8), replyEnd)
    }

    @inline(__always)
    static func frame(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws -> Frame {
        guard let lineFeed = unsafe memchr(bytes, 10, count) else { return .partial }
        let line = unsafe UnsafeRawPointer(lineFeed) - UnsafeRawPointer(bytes) + 1
        switch unsafe (bytes[0], bytes[1]) {
        case (UInt8(ascii: "M"), _): return unsafe message(bytes, line, count)
        case (UInt8(ascii: "P"), UInt8(ascii: "I")): return .ping(frameBytes: line)
        case (UInt8(ascii: "P"), _): return .pong(frameBytes: line)
        case (UInt8(ascii: "-"), _):
            throw LoadFailure("the server said \(unsafe lineText(bytes, line))")
        default: return .other(frameBytes: line)  // INFO, +OK
        }
    }

    /// `MSG subject sid [reply] size CR LF payload CR LF`
    @inline(__always)
    private static func message(
        _ bytes: UnsafeMutablePointer<UInt8>, _ line: Int, _ count: Int
    ) -> Frame {
        var size = 0
        var scale = 1
        var i = line &- 3
        while unsafe bytes[i] != 32 {
            size &+= Int(unsafe bytes[i] &- 48) &* scale
            scale &*= 10
            i &-= 1
        }
        guard line &+ size &+ 2 <= count else { return .partial }
        let replyEnd = i
        i &-= 1
        while unsafe bytes[i] != 32 { i &-= 1 }
        let message = unsafe Message(
            payload: UnsafePointer(bytes + line), byteCount: size,
            reply: UnsafePointer(bytes + i + 1), replyCount: replyEnd &- i &- 1,
            subject: UnsafePointer(bytes + 4))
        return .message(message, frameBytes: line &+ size &+ 2)
    }
}
