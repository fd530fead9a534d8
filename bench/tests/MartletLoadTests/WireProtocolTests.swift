import Testing

@testable import MartletLoad

/// What servers send, whole and cut at any byte, and what is sent to them.
@Suite struct WireProtocolTests {
    /// A message of five bytes as each server delivers it.
    static let messages = [
        Received(.nats, "MSG a.b 1 5\r\nhello\r\n"),
        Received(.nats, "MSG a.b 1 in.7 5\r\nhello\r\n"),
        Received(.redis, "*3\r\n$7\r\nmessage\r\n$3\r\na.b\r\n$5\r\nhello\r\n"),
        Received(.redis, "*4\r\n$8\r\npmessage\r\n$3\r\na.*\r\n$3\r\na.b\r\n$5\r\nhello\r\n"),
        Received(.mqtt, [0x30, 10, 0, 3] + Array("a/bhello".utf8)),
    ]

    static let pongs = [
        Received(.nats, "PONG\r\n"), Received(.redis, "+PONG\r\n"),
        Received(.redis, "*2\r\n$4\r\npong\r\n$0\r\n\r\n"), Received(.mqtt, [0xD0, 0]),
    ]

    static let others = [
        Received(.nats, "INFO {}\r\n"), Received(.nats, "+OK\r\n"), Received(.redis, ":1\r\n"),
        Received(.redis, "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
        Received(.mqtt, [0x20, 2, 0, 0]), Received(.mqtt, [0x90, 3, 0, 1, 0]),
    ]

    @Test("a message is found whole, with what follows it", arguments: messages)
    func message(_ received: Received) throws {
        let found = try frame(received.wire, received.bytes + Array("MSG next".utf8))
        #expect(found == .message("hello", frameBytes: received.bytes.count))
    }

    @Test("what is cut short anywhere is not taken for whole", arguments: messages + pongs + others)
    func partial(_ received: Received) throws {
        for count in 1..<received.bytes.count {
            let found = try frame(received.wire, Array(received.bytes[..<count]))
            #expect(found == .partial, "\(count) bytes")
        }
    }

    @Test("answers to pings are told from the rest", arguments: pongs)
    func pong(_ received: Received) throws {
        let found = try frame(received.wire, received.bytes)
        #expect(found == .pong(frameBytes: received.bytes.count))
    }

    @Test("acknowledgements are passed over", arguments: others)
    func other(_ received: Received) throws {
        let found = try frame(received.wire, received.bytes)
        #expect(found == .other(frameBytes: received.bytes.count))
    }

    @Test("a server's refusal ends the run")
    func refusals() {
        #expect(throws: LoadFailure.self) { try frame(.nats, Array("-ERR 'no'\r\n".utf8)) }
        #expect(throws: LoadFailure.self) { try frame(.redis, Array("-ERR no\r\n".utf8)) }
        #expect(throws: LoadFailure.self) { try frame(.mqtt, [0x20, 2, 0, 5]) }
        #expect(throws: LoadFailure.self) { try frame(.mqtt, [0x90, 3, 0, 1, 0x80]) }
    }

    @Test("the reply subject of a NATS message is found")
    func reply() throws {
        var bytes = Array("MSG a 1 _INBOX.x.42 2\r\nhi\r\n".utf8)
        let text = try unsafe bytes.withUnsafeMutableBufferPointer {
            let frame = try unsafe NATSWire.frame($0.baseAddress!, $0.count)
            guard case .message(let message, _) = frame else { return "" }
            return unsafe String(
                decoding: UnsafeBufferPointer(start: message.reply, count: message.replyCount),
                as: UTF8.self)
        }
        #expect(text == "_INBOX.x.42")
    }

    @Test("lengths of MQTT take as many bytes as they need", arguments: [1, 100, 200, 20_000])
    func lengths(payloadBytes: Int) throws {
        let head = MQTTWire.publishHead("a.b", payloadBytes: payloadBytes)
        let bytes = head + [UInt8](repeating: 120, count: payloadBytes)
        let text = String(repeating: "x", count: payloadBytes)
        #expect(try frame(.mqtt, bytes) == .message(text, frameBytes: bytes.count))
    }

    @Test("subjects and wildcards become those of the server")
    func subscriptions() {
        #expect(text(WireProtocol.nats.subscribe("a.*.>", number: 7)) == "SUB a.*.> 7\r\n")
        #expect(
            text(WireProtocol.redis.subscribe("a.b", number: 7))
                == "*2\r\n$9\r\nSUBSCRIBE\r\n$3\r\na.b\r\n")
        #expect(
            text(WireProtocol.redis.subscribe("a.>", number: 7))
                == "*2\r\n$10\r\nPSUBSCRIBE\r\n$3\r\na.*\r\n")
        #expect(
            WireProtocol.mqtt.subscribe("a.*.>", number: 7)
                == [0x82, 10, 0, 8, 0, 5] + Array("a/+/#".utf8) + [0])
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func frame(_ wire: WireProtocol, _ bytes: [UInt8]) throws -> Found {
        var copy = bytes
        return try unsafe copy.withUnsafeMutableBufferPointer {
            Found(try unsafe wire.frame($0.baseAddress!, $0.count))
        }
    }
}

/// Bytes of a server, with a name that a terminal can show.
struct Received: CustomTestStringConvertible {
    let wire: WireProtocol
    let bytes: [UInt8]

    init(_ wire: WireProtocol, _ bytes: [UInt8]) {
        self.wire = wire
        self.bytes = bytes
    }

    init(_ wire: WireProtocol, _ text: String) { self.init(wire, Array(text.utf8)) }

    var testDescription: String {
        let text = bytes.map { (32...126).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
        return "\(wire.rawValue) \(text)"
    }
}

/// A frame that can be compared.
enum Found: Equatable {
    case partial
    case message(String, frameBytes: Int)
    case pong(frameBytes: Int)
    case ping(frameBytes: Int)
    case other(frameBytes: Int)

    init(_ frame: Frame) {
        switch frame {
        case .partial: self = .partial
        case .message(let message, let frameBytes):
            let payload = unsafe UnsafeBufferPointer(
                start: message.payload, count: message.byteCount)
            self = .message(unsafe String(decoding: payload, as: UTF8.self), frameBytes: frameBytes)
        case .pong(let frameBytes): self = .pong(frameBytes: frameBytes)
        case .ping(let frameBytes): self = .ping(frameBytes: frameBytes)
        case .other(let frameBytes): self = .other(frameBytes: frameBytes)
        }
    }
}
