import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("When a connection was last active") struct ActivityTests {
    /// How long after its accept, in milliseconds.
    private func lastActivity(_ simulation: Simulation, _ client: SimulatedClient) throws -> Int {
        let loop = simulation.loops[client.loop]
        let address = try #require(client.address.value)
        let connection = try #require(loop.connection(address))
        let snapshot = loop.snapshot(of: connection, withSubscriptions: false, reason: nil)
        return Int((snapshot.lastActivityAt - snapshot.startedAt) / 1_000_000)
    }

    private func client(
        _ simulation: Simulation, _ lines: String, loop: Int = 0
    ) -> SimulatedClient {
        let client = simulation.connect(loop: loop)
        client.queue(lines)
        simulation.settle()
        return client
    }

    private static let quiet = "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n"
    private static let verbose = "CONNECT {\"verbose\":true,\"headers\":true}\r\n"

    @Test(
        "messages, SUB, UNSUB and CONNECT count, PING and PONG do not",
        arguments: [quiet, verbose],
        [
            ("PING\r\n", false), ("PONG\r\n", false), ("+OK\r\n", false), ("INFO {}\r\n", false),
            ("PUB a 1\r\nx\r\n", true), ("PUB a b 1\r\nx\r\nPING\r\n", true),
            ("HPUB a 12 13\r\nNATS/1.0\r\n\r\nx\r\n", true),
            ("PUB a 20000\r\n" + String(repeating: "x", count: 20_000) + "\r\n", true),
            ("SUB a 1\r\n", true), ("UNSUB 9\r\n", true), ("CONNECT {}\r\n", true),
        ])
    func own(connect: String, operation: (text: String, counts: Bool)) throws {
        let simulation = try Simulation(seed: 1)
        let client = client(simulation, connect)
        simulation.advance(milliseconds: 1_000)
        client.queue(operation.text)
        simulation.settle()
        #expect(try lastActivity(simulation, client) == (operation.counts ? 1_000 : 0))
        #expect(client.errors.isEmpty)
    }

    @Test(
        "what is delivered counts for who gets it", arguments: [1, 2],
        [
            "PUB a 1\r\nx\r\n", "HPUB a 12 13\r\nNATS/1.0\r\n\r\nx\r\n",
            "PUB a 20000\r\n" + String(repeating: "x", count: 20_000) + "\r\n",
        ])
    func deliveries(loops: Int, publish: String) throws {
        let simulation = try Simulation(seed: 1, loops: loops)
        let plain = client(simulation, Self.quiet + "SUB a 1\r\n")
        let queued = client(simulation, Self.quiet + "SUB a q 1\r\n")
        let other = client(simulation, Self.quiet + "SUB b 1\r\n")
        let publisher = client(simulation, Self.quiet, loop: loops - 1)
        simulation.advance(milliseconds: 1_500)
        publisher.queue(publish)
        simulation.settle()
        #expect(plain.takeMessages().count == 1 && queued.takeMessages().count == 1)
        for client in [plain, queued, publisher] {
            #expect(try lastActivity(simulation, client) == 1_500)
        }
        #expect(try lastActivity(simulation, other) == 0)
    }

    @Test("a client that does nothing but answer PINGs is idle")
    func pings() throws {
        let simulation = try Simulation(seed: 1) {
            $0.keepalive.pingIntervalNanoseconds = 500_000_000
        }
        let client = client(simulation, Self.quiet + "PING\r\n")
        var answered = 0
        for _ in 0..<60 {
            simulation.advance(milliseconds: 50)
            while answered < client.pings {
                client.queue("PONG\r\n")
                answered += 1
            }
        }
        #expect(answered > 2 && !client.isClosed)
        #expect(try lastActivity(simulation, client) == 0)
    }
}
