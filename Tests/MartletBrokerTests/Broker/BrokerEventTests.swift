import Logging
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Events of a broker", .timeLimit(.minutes(1)))
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
        _ recorder: Recorder, _ change: (inout BrokerConfiguration) -> Void = { _ in }
    ) throws -> Broker {
        var configuration = BrokerConfiguration()
        configuration.host = "127.0.0.1"
        configuration.port = -1
        change(&configuration)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let broker = try Broker(configuration: configuration, logger: logger, events: recorder)
        try broker.start()
        return broker
    }

    @Test("say whose a connection is, as far as it is known by then")
    func peers() throws {
        let recorder = Recorder()
        let broker = try broker(recorder) {
            $0.accounts = ["A"]
            $0.authorization.users = [.init(name: "ann", password: "a", account: "A")]
        }
        defer { broker.stop() }
        let client = try RawClient(port: broker.clientPort)
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
                    version: "1.2", user: "ann", account: "A"))
    }

    @Test("say that credentials were wrong, and by whom they were given")
    func authenticationFailure() throws {
        let recorder = Recorder()
        let broker = try broker(recorder) { $0.authorization.token = "secret" }
        defer { broker.stop() }
        let client = try RawClient(port: broker.clientPort)
        try client.send("CONNECT {\"auth_token\":\"guess\",\"name\":\"mallory\"}\r\n")
        _ = try client.framesToEnd()
        #expect(eventually { recorder.ofConnection(1).count == 3 })
        let events = recorder.ofConnection(1)
        try #require(
            events.map(\.event) == [
                .connected, .authenticationFailed, .closed(.authenticationViolation),
            ])
        #expect(events[1].peer.name == "mallory" && events[1].peer.user.isEmpty)
    }

    @Test("say that a subscriber is slow, before it is closed")
    func slowConsumer() throws {
        let recorder = Recorder()
        let broker = try broker(recorder) {
            $0.limits.payloadBytesMax = 64 << 10
            $0.limits.pendingBytesMax = 64 << 10
        }
        defer { broker.stop() }
        let slow = try RawClient(port: broker.clientPort, receiveBufferBytes: 4_096)
        try slow.connect()
        try slow.send("SUB much 1\r\nPING\r\n")
        _ = try slow.framesToPong()
        let publisher = try RawClient(port: broker.clientPort)
        try publisher.connect()
        let message = "PUB much 10000\r\n" + String(repeating: "x", count: 10_000) + "\r\n"
        for _ in 0..<2_000 { try publisher.send(message) }
        _ = try publisher.barrier()
        #expect(eventually { recorder.ofConnection(1).count == 3 })
        #expect(
            recorder.ofConnection(1).map(\.event) == [
                .connected, .slowConsumer(.pendingBytes(max: 64 << 10)),
                .closed(.slowConsumerPendingBytes),
            ])
    }
}
