import Logging
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Traces", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct TraceTests {
    private final class Recorder: EventSink {
        private let lines = Guarded<[String]>([])

        func record(_ event: BrokerEvent) {
            guard case .connection(let event, let peer) = event, event.level == .trace else {
                return
            }
            lines.withLock { $0.append("\(peer.id) \(event.text)") }
        }

        /// Of one connection, less its CONNECT.
        func lines(of id: Int) -> [String] {
            lines.withLock { lines in
                lines.filter { $0.hasPrefix("\(id) ") && !$0.contains("CONNECT") }
                    .map { String($0.dropFirst("\(id) ".count)) }
            }
        }

        var connects: [String] { lines.withLock { $0.filter { $0.contains("CONNECT") } } }
    }

    private func broker(
        _ recorder: Recorder, loops: Int = 1,
        _ change: @escaping (inout BrokerConfiguration) -> Void = { _ in }
    ) throws -> TestBroker {
        let configuration = BrokerConfiguration.underTest(loops: loops) {
            $0.log.trace = true
            change(&$0)
        }
        return try TestBroker(
            starting: Broker(configuration: configuration, logger: .silent, events: recorder))
    }

    @Test("tell what a client sent and what it got, in nats-server's words")
    func bothWays() throws {
        let recorder = Recorder()
        let broker = try broker(recorder)
        let client = try broker.rawClient()
        try client.send(
            "CONNECT {\"verbose\":true,\"pedantic\":false}\r\nSUB a 1\r\nPUB a r 2\r\nhi\r\n"
                + "SUB a..b 2\r\nPING\r\n")
        _ = try client.framesToPong()
        #expect(
            recorder.lines(of: 1) == [
                "->> [OK]", "<<- [SUB a 1]", "->> [OK]", "<<- [PUB a r 2]",
                "<<- MSG_PAYLOAD: [\"hi\"]", "->> [OK]", "->> [MSG a 1 r 2]",
                "->> MSG_PAYLOAD: [\"hi\"]", "<<- [SUB a..b 2]", "->> [-ERR Invalid Subject]",
                "<<- [PING]", "->> [PONG]",
            ])
    }

    @Test("tell of deliveries to other loops, with and without headers, large ones too")
    func deliveries() throws {
        let recorder = Recorder()
        let broker = try broker(recorder, loops: 2) { $0.log.tracedMessageBytesMax = 3 }
        let publisher = try broker.client()
        let plain = try broker.subscriber(
            "SUB a 7", options: ClientOptions(headers: false, noResponders: false))
        let able = try broker.subscriber("SUB a 8")
        let large = String(repeating: "x", count: 20_000)
        try publisher.send(
            "HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPUB a 20000\r\n\(large)\r\nPUB a 0\r\n\r\n")
        for client in [plain, able] { for _ in 0..<3 { _ = try client.message() } }
        #expect(
            recorder.lines(of: 1).suffix(5) == [
                "<<- [HPUB a 12 14]", "<<- MSG_PAYLOAD: [\"NAT...\"]", "<<- [PUB a 20000]",
                "<<- MSG_PAYLOAD: [\"xxx...\"]", "<<- [PUB a 0]",
            ])
        #expect(
            recorder.lines(of: 2).suffix(5) == [
                "->> [MSG a 7 2]", "->> MSG_PAYLOAD: [\"hi\"]", "->> [MSG a 7 20000]",
                "->> MSG_PAYLOAD: [\"xxx...\"]", "->> [MSG a 7 0]",
            ])
        #expect(
            recorder.lines(of: 3).suffix(5) == [
                "->> [HMSG a 8 12 14]", "->> MSG_PAYLOAD: [\"NAT...\"]", "->> [MSG a 8 20000]",
                "->> MSG_PAYLOAD: [\"xxx...\"]", "->> [MSG a 8 0]",
            ])
    }

    @Test(
        "show the line of an operation that ends its connection",
        arguments: [
            ("PUB a 2\r\nhixx", "PUB a 2"), ("PUB a 2\r\nhi\rx", "PUB a 2"),
            ("HPUB a 12 14\r\nNATS/1.0\r\n\r\nhixx", "HPUB a 12 14"),
            ("PUB a 20000\r\n" + String(repeating: "x", count: 20_002), "PUB a 20000"),
            ("PUB a 100000\r\n" + String(repeating: "x", count: 100_002), "PUB a 100000"),
            ("PUB a 3000000\r\n", "PUB a 3000000"), ("PUB a\r\n", "PUB a"),
            ("PUB a b c d e\r\n", "PUB a b c d e"), ("SUB a\r\n", "SUB a"),
            ("UNSUB 1 2 3\r\n", "UNSUB 1 2 3"), ("HPUB a 20 14\r\n", "HPUB a 20 14"),
        ])
    func refused(sent: String, line: String) throws {
        let recorder = Recorder()
        let broker = try broker(recorder)
        let client = try broker.rawClient()
        try client.send("CONNECT {\"verbose\":false,\"headers\":true}\r\n")
        // It may be closed before it has sent all.
        try? client.send(sent)
        _ = try? client.framesToEnd()
        #expect(eventually { broker.connections().isEmpty })
        let received = recorder.lines(of: 1).filter { $0.hasPrefix("<<-") }
        #expect(received == ["<<- [\(line)]"])
    }

    @Test(
        "show nothing of a line that is too long, or whose verb nobody knows",
        arguments: ["SUB " + String(repeating: "x", count: 5_000) + " 1\r\n", "FOO a\r\n"])
    func notUnderstood(sent: String) throws {
        let recorder = Recorder()
        let broker = try broker(recorder)
        let client = try broker.rawClient()
        try client.send(sent)
        _ = try? client.framesToEnd()
        #expect(eventually { broker.connections().isEmpty })
        #expect(recorder.lines(of: 1).allSatisfy { !$0.hasPrefix("<<-") })
    }

    @Test("begin and end with a reload, for who is connected too")
    func reload() throws {
        let recorder = Recorder()
        let broker = try broker(recorder)
        let client = try broker.client()
        var configuration = broker.broker.configuration
        configuration.log.trace = false
        try broker.broker.reload(configuration)
        let before = recorder.lines(of: 1).count
        try client.barrier()
        #expect(recorder.lines(of: 1).count == before)
        configuration.log.trace = true
        try broker.broker.reload(configuration)
        try client.barrier()
        #expect(recorder.lines(of: 1).dropFirst(before) == ["<<- [PING]", "->> [PONG]"])
    }

    @Test("show of a CONNECT what was understood, and no secret whatever its spelling")
    func secrets() throws {
        let recorder = Recorder()
        let broker = try broker(recorder)
        let seed = "SU" + String(repeating: "A", count: 56)
        let arguments = [
            #"{"pass":"leak","auth_token":"leak","jwt":"leak","sig":"leak","nkey":"leak"}"#,
            #"{"p\u0061ss":"leak","PASS":"leak","Auth_Token" : "leak","proxy_sig":"leak"}"#,
            #"{"pass":"le\"leak","password":"leak","x":{"pass":"leak"},"y":["leak"]}"#,
            #"{"pass":"leak" "name":"n"}"#,
            #"{"pass":7777,"name":"\#(seed)"}"#,
        ]
        for argument in arguments {
            let client = try broker.rawClient()
            try client.send("CONNECT \(argument)\r\n-ERR\r\n")
            _ = try client.framesToEnd()
        }
        #expect(recorder.connects.count == arguments.count)
        for line in recorder.connects {
            for secret in ["leak", "7777", seed] { #expect(!line.contains(secret)) }
        }
        let client = try broker.rawClient()
        try client.send(
            #"CONNECT {"verbose":false,"user":"ann","pass":"leak","name":"a\n\u001bb","protocol":1}"#
                + "\r\nPING\r\n")
        _ = try client.framesToPong()
        #expect(
            recorder.connects.last?.hasSuffix(
                #" <<- [CONNECT {"verbose":false,"user":"ann","pass":"[REDACTED]","#
                    + #""name":"a\n\x1bb","protocol":1}]"#) == true)
    }
}
