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

    /// A member on another loop leaves while messages are on their way to it, and that loop is in the middle of
    /// another match.
    @Test(arguments: testSeeds(10))
    func whatAMemberLeavesBehindGoesWhereItsSubjectSays(seed: UInt64) throws {
        let simulation = try Simulation(seed: seed, loops: 2)
        _ = subscribeToAll(simulation)
        func client(loop: Int, _ lines: String) -> SimulatedClient {
            let client = simulation.connect(loop: loop)
            client.queue(connect + lines)
            simulation.settle()
            return client
        }
        let watcher = client(loop: 0, "SUB \(subject).q 1\r\n")
        let bystander = client(loop: 0, "SUB \(subject).u 1\r\n")
        let asker = client(loop: 0, "SUB reply 1\r\n")
        let disturber = client(loop: 1, "")
        let member = client(loop: 1, "SUB \(subject).q g 1\r\nSUB \(subject).r g 2\r\n")
        let spare = client(loop: Int(seed % 2), "SUB \(subject).q g 1\r\n")
        let rounds = 8
        for i in 0..<rounds {
            // Each time another subject for the match that is under way.
            disturber.queue("PUB \(subject).u 1\r\nu\r\nPUB \(subject).v\(i) 1\r\nv\r\n")
            asker.queue("PUB \(subject).q 1\r\nq\r\nPUB \(subject).r reply 1\r\nr\r\n")
            let leaves = "UNSUB 1\r\nUNSUB 2\r\n"
            let comes = "SUB \(subject).q g 1\r\nSUB \(subject).r g 2\r\n"
            for _ in 0..<(1 + i) {
                _ = disturber.move()
                _ = asker.move()
                simulation.turn()
            }
            member.queue(leaves)
            simulation.settle()
            member.queue(comes)
            simulation.settle()
        }
        #expect(simulation.barrier())
        let seeds: Comment = "MARTLET_SEED=\(seed)"
        #expect(watcher.takeMessages().map(\.text) == Array(repeating: "q", count: rounds), seeds)
        #expect(bystander.takeMessages().map(\.text) == Array(repeating: "u", count: rounds), seeds)
        let members = member.takeMessages()
        let all = members + spare.takeMessages()
        #expect(all.count { $0.text == "q" && $0.subject == "\(subject).q" } == rounds, seeds)
        // Each request reached the member, or the asker heard that nobody was there.
        #expect(members.count { $0.text == "r" } + asker.takeMessages().count == rounds, seeds)
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
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
