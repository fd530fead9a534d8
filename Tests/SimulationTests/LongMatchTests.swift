import MartletTestSupport
import Testing

@testable import MartletBroker

/// Subjects whose match visits thousands of nodes.
@Suite struct LongMatchTests {
    private static let depth = 12
    private let connect = "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n"
    private let subject = Array(repeating: "a", count: depth).joined(separator: ".")

    /// Filters of `depth` tokens, each of them `*` or `a`, and `z` behind.
    private func subscribeToAll(_ simulation: Simulation) -> SimulatedClient {
        let client = simulation.connect(loop: 0)
        var lines = connect
        for i in 0..<(1 << Self.depth) {
            let tokens = (0..<Self.depth).map { i >> $0 & 1 == 0 ? "a" : "*" }
            lines += "SUB \(tokens.joined(separator: ".")).z \(i)\r\n"
        }
        client.queue(lines)
        simulation.settle()
        return client
    }

    private func client(_ simulation: Simulation, _ lines: String = "") -> SimulatedClient {
        let client = simulation.connect(loop: simulation.loops.count - 1)
        client.queue(connect + lines)
        simulation.settle()
        return client
    }

    @Test func othersAreServedWhileItGoesOn() throws {
        let simulation = try Simulation(seed: 1)
        _ = subscribeToAll(simulation)
        let publisher = client(simulation)
        let other = client(simulation)
        publisher.queue("PUB \(subject).u1 0\r\n\r\nPING\r\n")
        _ = publisher.move()
        var turns = 0
        let pongs = publisher.pongs
        while publisher.pongs == pongs {
            let before = other.pongs
            other.queue("PING\r\n")
            _ = other.move()
            simulation.turn()
            _ = other.move()
            _ = publisher.move()
            #expect(other.pongs == before + 1)
            turns += 1
            try #require(turns < 100)
        }
        // Two to the power of `depth` and one, less one, nodes.
        #expect(turns >= (2 << Self.depth) / BrokerLoop.nodesPerTurn)
    }

    @Test(arguments: [1, 2], testSeeds(5))
    func whatAPublisherSendsNextComesAfter(loops: Int, seed: UInt64) throws {
        let simulation = try Simulation(seed: seed, loops: loops)
        let all = subscribeToAll(simulation)
        let subscriber = client(simulation, "SUB > 1\r\n")
        let publisher = client(simulation)
        var lines = ""
        for i in 0..<20 {
            lines += i % 3 == 0 ? "PUB \(subject).u\(i) 2\r\n" : "PUB b.c 2\r\n"
            lines += "\(10 + i)\r\n"
        }
        publisher.queue(lines + "PUB \(subject).z 2\r\nzz\r\nPING\r\n")
        let churn = client(simulation)
        for i in 0..<20 {
            churn.queue("SUB \(subject).x\(i) \(i)\r\nUNSUB \(i)\r\n")
            _ = publisher.move()
            _ = churn.move()
            for _ in 0..<3 { simulation.turn() }
        }
        simulation.settle()
        #expect(publisher.pongs == 1)
        let texts = subscriber.takeMessages().map(\.text)
        #expect(texts == (0..<20).map { "\(10 + $0)" } + ["zz"], "MARTLET_SEED=\(seed)")
        #expect(all.takeMessages().count == 1 << Self.depth)
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
    }

    @Test func aRequesterHearsThatNobodyIsThere() throws {
        let simulation = try Simulation(seed: 1)
        _ = subscribeToAll(simulation)
        let asker = client(simulation, "SUB \(subject).reply 1\r\n")
        asker.queue("PUB nobody \(subject).reply 0\r\n\r\n")
        asker.queue("PUB \(subject).nobody \(subject).reply 0\r\n\r\nPING\r\n")
        simulation.settle()
        #expect(asker.takeMessages().count == 2)
        #expect(asker.pongs == 1)
    }

    @Test func aPublisherThatLeavesIsStillHeard() throws {
        let simulation = try Simulation(seed: 1)
        let all = subscribeToAll(simulation)
        let publisher = client(simulation)
        publisher.queue("PUB \(subject).z 1\r\nx\r\n")
        _ = publisher.move()
        simulation.turn()
        publisher.close()
        simulation.settle()
        #expect(all.takeMessages().count == 1 << Self.depth)
    }
}
