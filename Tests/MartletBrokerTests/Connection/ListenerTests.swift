import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Listeners", .timeLimit(.minutes(isSanitized ? 10 : 1))) struct ListenerTests {
    @Test("a loop accepts on each of its listeners, until lame duck mode")
    func severalListeners() async throws {
        try await withBroker(loops: 2, port: -1) { broker in
            let second = try ListeningSocket(HostAndPort(host: "127.0.0.1", port: 0))
            let listener = Listener(
                descriptor: second.descriptor, profile: .client,
                address: HostAndPort(host: "127.0.0.1", port: second.port))
            broker.shared.loops[0].mail.post(.listen(listener))
            let ports = [broker.clientPort, second.port]
            let clients = try (ports + ports).map { port in
                let client = try RawClient(port: port)
                try client.connect()
                return client
            }
            #expect(broker.shared.connectionCount == 4)
            broker.shared.loops[0].mail.post(.enterLameDuck)
            // The first loop has stopped listening when it answers to what came after.
            broker.shared.loops.postAndWait { .adoptRules(nil, nil, then: $0) }
            for port in ports { #expect(throws: (any Error).self) { try RawClient(port: port) } }
            for client in clients { client.close() }
        }
    }
}
