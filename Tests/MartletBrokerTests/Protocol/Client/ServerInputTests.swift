import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("What a server says, read by a client")
struct ServerInputTests {
    /// Every kind of event, with the bytes that could mislead: line ends and verbs in payloads.
    private static let stream: [(bytes: String, event: ServerEvent)] = [
        ("INFO {\"max_payload\":9,\"headers\":true} \r\n", .info(info(9, hasHeaders: true))),
        ("PING\r\n", .ping),
        ("MSG a.b 1 5\r\nhello\r\n", message("a.b", 1, "hello")),
        ("MSG a 12 r.s 0\r\n\r\n", message("a", 12, reply: "r.s", "")),
        ("+OK\r\n", .ok),
        ("MSG a 7 9\r\nPONG\r\n\r\n\n\r\n", message("a", 7, "PONG\r\n\r\n\n")),
        ("HMSG a 1 10 14\r\nNATS/1.0\r\nbody\r\n", message("a", 1, "body")),
        (
            "HMSG a 1 r 24 24\r\nNATS/1.0 503\r\nA: b c\r\n\r\n\r\n",
            message("a", 1, reply: "r", headers: ["A": "b c"], status: 503, "")
        ),
        ("-ERR 'Unknown Protocol Operation'\r\n", .error("Unknown Protocol Operation")),
        ("-ERR bare\r\n", .error("bare")),
        ("INFO {}\r\n", .info(ReceivedInfo())),
        ("PONG\r\n", .pong),
    ]

    private static func info(_ payloadBytesMax: Int, hasHeaders: Bool) -> ReceivedInfo {
        var info = ReceivedInfo()
        info.payloadBytesMax = payloadBytesMax
        info.hasHeaders = hasHeaders
        return info
    }

    private static func message(
        _ subject: String, _ id: UInt64, reply: String? = nil, headers: InProcessHeaders = [:],
        status: Int? = nil, _ payload: String
    ) -> ServerEvent {
        .message(
            InProcessMessage(
                subject: subject, reply: reply, headers: headers, status: status,
                payload: Array(payload.utf8)), subscriptionID: id)
    }

    private static var allBytes: [UInt8] { Array(stream.map(\.bytes).joined().utf8) }

    private typealias Outcome = (events: [ServerEvent], violation: ServerProtocolViolation?)

    private func outcome(_ parts: [[UInt8]]) -> Outcome {
        let input = ServerInput()
        var events: [ServerEvent] = []
        do throws(ServerProtocolViolation) {
            for part in parts {
                input.fill { $0 = part }
                while let event = try input.next() { events.append(event) }
            }
        } catch {
            return (events, error)
        }
        return (events, nil)
    }

    private func events(_ parts: [[UInt8]]) throws -> [ServerEvent] {
        let (events, violation) = outcome(parts)
        if let violation { throw violation }
        return events
    }

    private func pieces(_ bytes: [UInt8], _ size: () -> Int) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = size()
            parts.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return parts
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
        #expect(try events(pieces(Self.allBytes) { size }) == Self.stream.map(\.event))
    }

    @Test("frames of random sizes in random pieces decode the same", arguments: testSeeds(20))
    func randomPieces(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var (bytes, expected) = ([UInt8](), [ServerEvent]())
        for _ in 0..<50 {
            guard random.oneIn(3) else {
                let sample = random.pick(Self.stream)
                bytes += Array(sample.bytes.utf8)
                expected.append(sample.event)
                continue
            }
            let payload = random.bytes(random.below(random.oneIn(4) ? 20_000 : 200))
            let id = UInt64(random.below(1_000))
            bytes += Array("MSG s.\(id) \(id) \(payload.count)\r\n".utf8) + payload + [13, 10]
            let message = InProcessMessage(subject: "s.\(id)", payload: payload)
            expected.append(.message(message, subscriptionID: id))
        }
        let longest = random.pick([3, 100, 5_000])
        let parts = pieces(bytes) { 1 + random.below(longest) }
        #expect(try events(parts) == expected, "MARTLET_SEED=\(seed)")
    }

    @Test("a damaged stream comes to the same end however it is split", arguments: testSeeds(300))
    func damaged(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bytes = Self.allBytes
        for _ in 0...random.below(3) {
            let place = random.below(bytes.count)
            switch random.below(3) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: place)
            default: bytes.insert(random.pick(Array("\r\n 0'-AMP".utf8)), at: place)
            }
        }
        let whole = outcome([bytes])
        for _ in 0..<4 {
            let longest = random.pick([1, 7, 60])
            let split = outcome(pieces(bytes) { 1 + random.below(longest) })
            #expect(split.events == whole.events, "MARTLET_SEED=\(seed)")
            #expect(split.violation == whole.violation, "MARTLET_SEED=\(seed)")
        }
    }

    @Test(
        "what no server sends is a violation",
        arguments: [
            ("FOO\r\n", .unknownVerb), ("\r\n", .unknownVerb), ("ping\r\n", .unknownVerb),
            ("PINGX\r\n", .unknownVerb), ("MSGa 1 0\r\n\r\n", .unknownVerb), ("PING\n", .lineEnd),
            ("\n", .lineEnd), ("MSG a 1\r\n", .messageLine), ("MSG a x 5\r\n", .messageLine),
            ("MSG a 1 -5\r\n", .messageLine), ("MSG a 1 5\r\nhelloXX", .messageEnd),
            ("HMSG a 1 9 5\r\n", .messageLine), ("MSG a 1 r s 5\r\n", .messageLine),
            ("MSG a 1 99999999999999999999\r\n", .messageLine),
            ("MSG a 1 1073741825\r\n", .messageTooLarge), ("INFO []\r\n", .info),
        ] as [(String, ServerProtocolViolation)])
    func nonsense(text: String, violation: ServerProtocolViolation) {
        #expect(outcome([Array(text.utf8)]).violation == violation)
        #expect(outcome(text.utf8.map { [$0] }).violation == violation)
    }

    @Test("a violation stays one however often it is asked for")
    func violationStays() throws {
        let input = ServerInput()
        for piece in ["PI", "NGX\r\nPONG\r\n"] {
            input.fill { $0 = Array(piece.utf8) }
            guard piece != "PI" else {
                #expect(try input.next() == nil)
                continue
            }
            for _ in 0..<3 { #expect(throws: ServerProtocolViolation.self) { try input.next() } }
        }
    }

    @Test("a line without end is a violation, not memory")
    func endlessLine() {
        let part = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
        let parts = Array(repeating: part, count: ServerFrame.lineBytesMax / part.count + 1)
        #expect(outcome(parts).violation == .lineTooLong)
        #expect(outcome([parts.flatMap(\.self) + [13, 10]]).violation == .lineTooLong)
    }

    @Test("what one leaves of a frame, the other goes on with")
    func handedOver() {
        let partial = PartialFrame()
        let (first, second) = (ServerInput(partial), ServerInput(partial))
        let bytes = Array("MSG a 1 1\r\nx\r\nMSG b 1 5\r\nhel".utf8)
        first.fill { $0 = bytes }
        var seen: [String] = []
        let end = first.visit { frame, bytes in
            seen.append(text(bytes.at(frame.subject), frame.subject.length))
            // As the supervisor of handlers does while a closure has a request at hand.
            first.giveUpRest()
            return true
        }
        #expect(end == .exhausted)
        second.fill { $0 = Array("lo\r\nMSG c 1 0\r\n\r\n".utf8) }
        _ = second.visit { frame, bytes in
            seen.append(text(bytes.at(frame.subject), frame.subject.length))
            return true
        }
        #expect(seen == ["a", "b", "c"])
    }
}
