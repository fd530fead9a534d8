import Testing

@testable import MartletBroker

@Suite("What holds for a kind of peer") struct PeerPolicyTests {
    /// A client, a handler, and a handler of the broker's own, in this order.
    private func connectAll(to simulation: Simulation) -> [SimulatedClient] {
        let system = simulation.broker.shared.accounts.account(named: "SYS")
        let clients = [.client, .handler, .system(system)].map { simulation.connect(as: $0) }
        simulation.settle()
        return clients
    }

    private func say(_ text: String, by clients: [SimulatedClient], in simulation: Simulation) {
        for client in clients { client.queue(text) }
        simulation.settle()
    }

    @Test("clients and handlers are counted and listed, the broker's own handlers are not")
    func counts() throws {
        let simulation = try Simulation(seed: 1)
        let clients = connectAll(to: simulation)
        #expect(simulation.broker.snapshot().connections == 2)
        #expect(simulation.broker.snapshot().totalConnections == 2)
        let listed = Guarded(0)
        simulation.loops[0].list(
            ConnectionListing { all in listed.withLock { $0 = all.count } })
        #expect(listed.withLock { $0 } == 2)
        for client in clients { client.close() }
        simulation.settle()
        #expect(simulation.broker.snapshot().connections == 0)
        #expect(simulation.broker.shared.closedConnections.count == 2)
    }

    @Test("only the broker's own handlers need no credentials")
    func credentials() throws {
        let simulation = try Simulation(seed: 1) {
            $0.authorization.user = "u"
            $0.authorization.password = "p"
        }
        let clients = connectAll(to: simulation)
        say("CONNECT {\"verbose\":false}\r\nPING\r\n", by: clients, in: simulation)
        let refusal = ["'Authorization Violation'"]
        #expect(clients.map(\.errors) == [refusal, refusal, []])
        #expect(clients.map(\.pongs) == [0, 0, 1])
    }

    @Test("only clients get PINGs")
    func pings() throws {
        let simulation = try Simulation(seed: 1) {
            $0.keepalive.pingIntervalNanoseconds = 1_000_000_000
        }
        let clients = connectAll(to: simulation)
        say("CONNECT {\"verbose\":false}\r\nPING\r\n", by: clients, in: simulation)
        simulation.advance(milliseconds: 1_500)
        #expect(clients.map(\.pings) == [1, 0, 0])
    }

    @Test("a client may repeat what servers say, handlers may not", arguments: ["INFO {}", "+OK"])
    func verbs(line: String) throws {
        let simulation = try Simulation(seed: 1)
        let clients = connectAll(to: simulation)
        say("\(line)\r\nPING\r\n", by: clients, in: simulation)
        let refusal = ["'Unknown Protocol Operation'"]
        #expect(clients.map(\.errors) == [[], refusal, refusal])
        #expect(clients.map(\.pongs) == [1, 0, 0])
    }

    @Test("each verb is a member of its own")
    func verbSets() {
        let verbs = (0...UInt8.max).compactMap(Verb.init(rawValue:)).map(PeerPolicy.Verbs.init)
        #expect(!verbs.isEmpty && !verbs.contains([]))
        #expect(Set(verbs.map(\.rawValue)).count == verbs.count)
    }

    @Test("of what waits for them, handlers have a lower limit than max_pending")
    func pending() throws {
        let simulation = try Simulation(seed: 1) { $0.limits.pendingBytesMax = 64 << 20 }
        _ = connectAll(to: simulation)
        var limits: [Int] = []
        simulation.loops[0].forEachConnection { limits.append($0.pointee.pendingBytesMax) }
        #expect(limits == [64 << 20, 4 << 20, 4 << 20])
    }
}
