import Glibc

/// Cuts what a broker sends into frames, as a strict client would: a line feed without its carriage return,
/// a second space, a size that does not fit is malformed.
public struct FrameReader: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0
    /// So many are there before it is worth while to look again.
    private var wanted = 0

    public init() {}

    public mutating func append(_ more: some Collection<UInt8>) {
        if start == bytes.count || start > 1 << 20 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes += more
    }

    public var count: Int { bytes.count - start }

    /// The end of what is there, for messages of failures.
    public var tail: String { String(decoding: bytes[start...].suffix(300), as: UTF8.self) }

    /// Everything up to `text` and with it; nil if that is not there yet.
    public mutating func take(through text: String) -> String? {
        find(Array(text.utf8)).map { String(decoding: take($0 - start), as: UTF8.self) }
    }

    /// The next so many bytes, or all if there are fewer.
    public mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let end = min(bytes.count, start + count)
        defer { start = end }
        wanted = 0
        return bytes[start..<end]
    }

    /// The next frame; nil if it is not whole yet.
    public mutating func next() throws(MalformedFrame) -> Frame? {
        guard count >= wanted, let lineEnd = find([0x0A]) else { return nil }
        guard lineEnd > start + 1, bytes[lineEnd - 2] == 0x0D else { throw malformed(lineEnd) }
        let line = String(decoding: bytes[start..<(lineEnd - 2)], as: UTF8.self)
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        let frame: Frame
        switch words[0] {
        case "MSG", "HMSG": return try takeMessage(words, from: lineEnd)
        case "INFO": frame = .info(String(line.dropFirst(5)))
        case "PING": frame = .ping
        case "PONG": frame = .pong
        case "+OK": frame = .ok
        case "-ERR": frame = .error(String(line.dropFirst(5)))
        default: throw malformed(lineEnd)
        }
        _ = take(lineEnd - start)
        return frame
    }

    private mutating func takeMessage(
        _ words: [Substring], from lineEnd: Int
    ) throws(MalformedFrame) -> Frame? {
        let sizes = words[0] == "HMSG" ? 2 : 1
        guard words.count == 3 + sizes || words.count == 4 + sizes,
            words.allSatisfy({ !$0.isEmpty }),
            let total = Int(words[words.count - 1]),
            let header = sizes == 2 ? Int(words[words.count - 2]) : 0, 0...total ~= header
        else { throw malformed(lineEnd) }
        let end = lineEnd + total
        guard bytes.count >= end + 2 else {
            wanted = end + 2 - start
            return nil
        }
        guard bytes[end] == 0x0D, bytes[end + 1] == 0x0A else { throw malformed(lineEnd) }
        defer { _ = take(end + 2 - start) }
        var message = Frame.Message(
            subject: String(words[1]), sid: String(words[2]),
            reply: words.count == 4 + sizes ? String(words[3]) : nil,
            header: String(decoding: bytes[lineEnd..<(lineEnd + header)], as: UTF8.self), text: "")
        message.payload = Array(bytes[(lineEnd + header)..<end])
        return .message(message)
    }

    private func malformed(_ lineEnd: Int) -> MalformedFrame {
        MalformedFrame(line: String(decoding: bytes[start..<lineEnd], as: UTF8.self))
    }

    /// Where the first `text` ends.
    private func find(_ text: [UInt8]) -> Int? {
        bytes.withUnsafeBytes { bytes -> Int? in
            var place = start
            while bytes.count - place >= text.count {
                let room = bytes.count - place - text.count + 1
                guard let found = memchr(bytes.baseAddress! + place, Int32(text[0]), room) else {
                    return nil
                }
                place = UnsafeRawPointer(found) - bytes.baseAddress!
                if memcmp(found, text, text.count) == 0 { return place + text.count }
                place += 1
            }
            return nil
        }
    }
}
