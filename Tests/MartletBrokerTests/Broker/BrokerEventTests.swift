import Logging
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Events of a broker", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct BrokerEventTests {
    private final class Recorder: EventSink {
        private let events = Guarded<[BrokerEvent]>([])

        func record(_ event: BrokerEvent) { events.withLock { $0.append(event) } }

        /// What happened to the connection of this id, and whose it was each time.
        func ofConnection(_ id: UInt64) -> [(event: ConnectionEvent, peer: PeerDescription)] {
            events.withLock { events in
                events.compactMap {
                    guard case .connection(let event, let peer) = $0, peer.id == id else {
                        return nil
                    }
                    return (event, peer)
                }
            }
        }
    }

    private func broker(
        _ recorder: Recorder, _ change: (inout BrokerConfiguration) -> Void
    ) throws -> TestBroker {
        let configuration = BrokerConfiguration.underTest(change)
        return try TestBroker(
            starting: Broker(configuration: configuration, logger: .silent, events: recorder))
    }

    @Test("say whose a connection is, as far as it is known by then")
    func peers() throws {
        let recorder = Recorder()
        let broker = try broker(recorder) {
            $0.accounts = ["A"]
            $0.authorization.users = [.init(name: "ann", password: "a", account: "A")]
        }
        let client = try broker.rawClient()
        try client.send(
            "CONNECT {\"verbose\":false,\"user\":\"ann\",\"pass\":\"a\",\"name\":\"alpha\","
                + "\"lang\":\"test\",\"version\":\"1.2\"}\r\nPING\r\n")
        _ = try client.framesToPong()
        client.close()
        #expect(eventually { recorder.ofConnection(1).count == 2 })
        let events = recorder.ofConnection(1)
        try #require(events.map(\.event) == [.connected, .closed(.clientClosed)])
        let (before, after) = (events[0].peer, events[1].peer)
        #expect(before.ip == "127.0.0.1" && before.port > 0)
        #expect(before.name.isEmpty && before.user.isEmpty && before.account == "$G")
        #expect(
            after
                == PeerDescription(
                    id: 1, ip: before.ip, port: before.port, name: "alpha", language: "test",
                    version: "1.2", user: "ann", account: "A", claim: .user("ann"),
                    isIdentified: true))
    }

    @Test("say that credentials were wrong, and by whom they were given")
    func authenticationFailure() throws {
        let recorder = Recorder()
        let broker = try broker(recorder) { $0.authorization.token = "secret" }
        let client = try broker.rawClient()
        try client.send("CONNECT {\"auth_token\":\"guess\",\"name\":\"mallory\"}\r\n")
        _ = try client.framesToEnd()
        #expect(eventually { recorder.ofConnection(1).count == 3 })
        let events = recorder.ofConnection(1)
        try #require(
            events.map(\.event) == [
                .connected, .authenticationFailed(as: .token), .closed(.authenticationViolation),
            ])
        #expect(events[1].peer.name == "mallory" && events[1].peer.user.isEmpty)
    }

    @Test("say what was wrong with what a client sent")
    func violations() throws {
        let recorder = Recorder()
        let broker = try broker(recorder) {
            $0.limits.controlLineBytesMax = 300
            $0.limits.payloadBytesMax = 100
            $0.limits.subscriptionsMax = 1
        }
        let long = String(repeating: "a", count: 400)
        let lines: [(String, ConnectionEvent)] = [
            ("FOO\r\n", .violation(.unknownOperation(at: 22, beginning: Array("FOO\r\n".utf8)))),
            (
                "CONX {\"pass\":\"x\"}\r\n",
                .violation(.unknownOperation(at: 22, beginning: Array("CONX {\"".utf8)))
            ),
            ("SUB a\r\n", .violation(.badArguments(.subscribe, Array("a".utf8)))),
            ("SUB \(long) 1\r\n", .violation(.controlLineTooLong)),
            ("PUB a 2000\r\n", .violation(.payloadTooLarge(2_000, max: 100))),
            ("HPUB a 12 12\r\n", .violation(.headersNotSupported)),
            ("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n-ERR\r\n", .subscriptionsExceeded),
            (
                "SUB q _sys_ 1\r\n-ERR\r\n",
                .subscriptionRefused(
                    subject: "q", queue: "_sys_", sid: "1", hasTooManyTokens: false)
            ),
        ]
        for (number, (line, event)) in lines.enumerated() {
            let id = UInt64(number + 1)
            let client = try broker.rawClient()
            try client.send("CONNECT {\"name\":\"n\"}\r\n" + line)
            _ = try client.framesToEnd()
            #expect(eventually { recorder.ofConnection(id).count >= 3 })
            let events = recorder.ofConnection(id)
            #expect(events[1].event == event)
            #expect(events[1].peer.isIdentified && events[1].peer.name == "n")
        }
    }

    @Test("say that a subscriber is slow, before it is closed")
    func slowConsumer() throws {
        let recorder = Recorder()
        let broker = try broker(recorder) {
            $0.limits.payloadBytesMax = 64 << 10
            $0.limits.pendingBytesMax = 64 << 10
        }
        let slow = try broker.subscriber("SUB much 1", options: ClientOptions(pendingBytes: 4_096))
        let publisher = try broker.client()
        for _ in 0..<2_000 { try publisher.send(pub("much", bytes: 10_000)) }
        _ = try publisher.barrier()
        #expect(eventually { recorder.ofConnection(1).count == 3 })
        // It is still there: the broker closed it.
        #expect(slow.isClosed(within: 5))
        #expect(
            recorder.ofConnection(1).map(\.event) == [
                .connected, .slowConsumer(.pendingBytes(max: 64 << 10)),
                .closed(.slowConsumerPendingBytes),
            ])
    }
}
