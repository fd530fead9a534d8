import Testing

@testable import MartletBroker

@Suite("What a broker says, decoded")
struct InProcessDecoderTests {
    /// Every kind of event, with the bytes that could mislead: line ends and verbs in payloads.
    private static let stream: [(bytes: String, event: ClientProtocolEvent)] = [
        ("INFO {\"a\":1} \r\n", .info(Array("{\"a\":1} ".utf8))),
        ("PING\r\n", .ping),
        ("MSG a.b 1 5\r\nhello\r\n", message("a.b", 1, nil, "", "hello")),
        ("MSG a 12 r.s 0\r\n\r\n", message("a", 12, "r.s", "", "")),
        ("+OK\r\n", .ok),
        ("MSG a 7 9\r\nPONG\r\n\r\n\n\r\n", message("a", 7, nil, "", "PONG\r\n\r\n\n")),
        ("HMSG a 1 10 14\r\nNATS/1.0\r\nbody\r\n", message("a", 1, nil, "NATS/1.0\r\n", "body")),
        (
            "HMSG a 1 r 24 24\r\nNATS/1.0 503\r\nA: b c\r\n\r\n\r\n",
            message("a", 1, "r", "NATS/1.0 503\r\nA: b c\r\n\r\n", "")
        ),
        ("-ERR 'Unknown Protocol Operation'\r\n", .error("Unknown Protocol Operation")),
        ("PONG\r\n", .pong),
    ]

    private static func message(
        _ subject: String, _ id: UInt64, _ reply: String?, _ header: String, _ payload: String
    ) -> ClientProtocolEvent {
        .message(
            ClientProtocolMessage(
                subject: subject, subscriptionID: id, reply: reply, header: Array(header.utf8),
                payload: Array(payload.utf8)))
    }

    private static var allBytes: [UInt8] { Array(stream.map(\.bytes).joined().utf8) }

    private func events(_ parts: [[UInt8]]) throws -> [ClientProtocolEvent] {
        var decoder = ClientProtocolDecoder()
        var events: [ClientProtocolEvent] = []
        for part in parts {
            decoder.append(part)
            while let event = try decoder.next() { events.append(event) }
        }
        return events
    }

    @Test("a stream split at any byte decodes the same")
    func anySplit() throws {
        let bytes = Self.allBytes
        let expected = Self.stream.map(\.event)
        for split in 0...bytes.count {
            #expect(
                try events([Array(bytes[..<split]), Array(bytes[split...])]) == expected,
                "at \(split)")
        }
    }

    @Test("a stream in pieces of any size decodes the same", arguments: 1...64)
    func pieces(size: Int) throws {
        let bytes = Self.allBytes
        let parts = stride(from: 0, to: bytes.count, by: size).map {
            Array(bytes[$0..<min($0 + size, bytes.count)])
        }
        #expect(try events(parts) == Self.stream.map(\.event))
    }

    @Test(
        "what no broker sends is an error",
        arguments: [
            "FOO\r\n", "\r\n", "PING\n", "MSG a 1\r\n", "MSG a x 5\r\n", "MSG a 1 -5\r\n",
            "MSG a 1 5\r\nhelloXX", "HMSG a 1 9 5\r\n", "MSG a 1 r s 5\r\n",
            "MSG a 1 99999999999999999999\r\n",
        ])
    func nonsense(text: String) {
        #expect(throws: BrokerError.self) { try events([Array(text.utf8)]) }
    }

    @Test("a line without end is an error, not memory")
    func endlessLine() {
        let part = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
        #expect(throws: BrokerError.self) {
            try events(
                Array(repeating: part, count: ClientProtocolDecoder.lineBytesMax / 65_536 + 1))
        }
    }

    @Test("headers come back as they were written")
    func headers() throws {
        var headers: InProcessHeaders = ["A": "1", "B": " two: words "]
        headers.append("A", "")
        let parsed = InProcessHeaders.parse(try headers.encoded())
        #expect(parsed.status == nil)
        #expect(parsed.headers.values(of: "A") == ["1", ""])
        #expect(parsed.headers["B"] == "two: words")
        #expect(parsed.headers["b"] == nil)
        #expect(InProcessHeaders.parse(Array("NATS/1.0 503\r\n\r\n".utf8)).status == 503)
    }

    @Test(
        "a header that would break the line is refused",
        arguments: [
            ("", "x"), ("a b", "x"), ("a:b", "x"), ("a\r", "x"), ("ä", "x"), ("a", "x\r\ny"),
            ("a", "\n"),
        ])
    func badHeaders(name: String, value: String) {
        let error = #expect(throws: BrokerError.self) {
            try InProcessHeaders(dictionaryLiteral: (name, value)).encoded()
        }
        #expect(error?.code == .header)
    }
}
