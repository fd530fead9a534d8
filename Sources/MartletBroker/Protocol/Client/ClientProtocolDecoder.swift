/// What a broker says to a client, one line or message at a time.
enum ClientProtocolEvent: Equatable {
    /// The JSON of an INFO.
    case info([UInt8])
    case message(ClientProtocolMessage)
    case ping
    case pong
    case ok
    /// The text of an -ERR, without its quotes.
    case error(String)
}

/// MSG, or HMSG when there is a header.
struct ClientProtocolMessage: Equatable {
    var subject: String
    var subscriptionID: UInt64
    var reply: String?
    /// The whole header block, `NATS/1.0` line and closing empty line included.
    var header: [UInt8] = []
    var payload: [UInt8] = []
}

/// The client's side of the protocol: bytes go in as they come, whole events come out.
struct ClientProtocolDecoder {
    /// A line longer than this is no broker's.
    static let lineBytesMax = 1 << 20

    private struct Expected {
        var message: ClientProtocolMessage
        var headerCount: Int
        var totalCount: Int
    }

    private var buffer: [UInt8] = []
    /// Where the next event starts.
    private var start = 0
    /// Up to here there is no end of a line.
    private var searched = 0
    /// The message whose line was read and whose payload is still to come.
    private var expected: Expected?

    mutating func append(_ bytes: [UInt8]) {
        if start == buffer.count {
            buffer = bytes
            (start, searched) = (0, 0)
        } else {
            if start > buffer.count / 2 {
                buffer.removeFirst(start)
                (start, searched) = (0, searched - start)
            }
            buffer += bytes
        }
    }

    /// The next whole event; nil when more bytes are needed.
    mutating func next() throws(BrokerError) -> ClientProtocolEvent? {
        if expected != nil { return try message() }
        guard let line = try line() else { return nil }
        let words = line.split(separator: .space, omittingEmptySubsequences: true)
        guard let verb = words.first else { throw Self.violation("an empty line") }
        switch String(decoding: verb, as: UTF8.self) {
        case "MSG":
            expected = try Self.expect(words, hasHeader: false)
            return try message()
        case "HMSG":
            expected = try Self.expect(words, hasHeader: true)
            return try message()
        case "PING": return .ping
        case "PONG": return .pong
        case "+OK": return .ok
        case "INFO": return .info(Array(line.dropFirst(5)))
        case "-ERR": return .error(Self.unquoted(line.dropFirst(5)))
        case let other: throw Self.violation("unknown operation \(other.prefix(32))")
        }
    }

    private mutating func line() throws(BrokerError) -> ArraySlice<UInt8>? {
        guard let end = buffer[searched...].firstIndex(of: .lineFeed) else {
            searched = buffer.count
            guard buffer.count - start <= Self.lineBytesMax else {
                throw Self.violation("a line of more than \(Self.lineBytesMax) bytes")
            }
            return nil
        }
        guard end > start, buffer[end - 1] == .carriageReturn else {
            throw Self.violation("a line that does not end in CR LF")
        }
        let line = buffer[start..<(end - 1)]
        start = end + 1
        searched = start
        return line
    }

    private mutating func message() throws(BrokerError) -> ClientProtocolEvent? {
        guard let expected, buffer.count - start >= expected.totalCount + 2 else { return nil }
        let end = start + expected.totalCount
        guard buffer[end] == .carriageReturn, buffer[end + 1] == .lineFeed else {
            throw Self.violation("a payload that does not end in CR LF")
        }
        var message = expected.message
        message.header = Array(buffer[start..<(start + expected.headerCount)])
        message.payload = Array(buffer[(start + expected.headerCount)..<end])
        start = end + 2
        searched = start
        self.expected = nil
        return .message(message)
    }

    /// `MSG subject sid [reply] size` or `HMSG subject sid [reply] header-size size`.
    private static func expect(
        _ words: [ArraySlice<UInt8>], hasHeader: Bool
    ) throws(BrokerError) -> Expected {
        let counts = hasHeader ? 2 : 1
        let hasReply = words.count == 4 + counts
        guard hasReply || words.count == 3 + counts,
            let id = number(words[2]), let total = number(words[words.count - 1]),
            let header = hasHeader ? number(words[words.count - 2]) : 0, header <= total
        else { throw violation("a message line that makes no sense") }
        let message = ClientProtocolMessage(
            subject: String(decoding: words[1], as: UTF8.self), subscriptionID: UInt64(id),
            reply: hasReply ? String(decoding: words[3], as: UTF8.self) : nil)
        return Expected(message: message, headerCount: header, totalCount: total)
    }

    /// Digits only, and no more of them than fit.
    private static func number(_ word: ArraySlice<UInt8>) -> Int? {
        guard word.count <= 18 else { return nil }
        var value = 0
        for byte in word {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return word.isEmpty ? nil : value
    }

    private static func unquoted(_ bytes: ArraySlice<UInt8>) -> String {
        let quote = UInt8(ascii: "'")
        let isQuoted = bytes.count >= 2 && bytes.first == quote && bytes.last == quote
        return String(decoding: isQuoted ? bytes.dropFirst().dropLast() : bytes, as: UTF8.self)
    }

    private static func violation(_ what: String) -> BrokerError {
        BrokerError(.connectionClosed, "the broker sent \(what)")
    }
}
