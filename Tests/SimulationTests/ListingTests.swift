import Testing

@testable import MartletBroker

@Suite("A listing of connections in turns") struct ListingTests {
    @Test("leaves its loop to others after a bounded number of steps, and has all in the end")
    func turns() throws {
        let simulation = try Simulation(seed: 1)
        let client = simulation.connect()
        simulation.settle()
        client.queue("CONNECT {\"verbose\":false}\r\n")
        client.queue((0..<1_000).map { "SUB a.\($0) \($0)\r\n" }.joined() + "PING\r\n")
        simulation.settle()
        #expect(client.pongs == 1)
        let listed = Guarded(-1)
        simulation.loops[0].list(
            ConnectionListing(withSubscriptions: true) { all in
                listed.withLock { $0 = all.first?.subscriptions.count ?? 0 }
            })
        #expect(listed.withLock { $0 } == -1)
        simulation.settle()
        #expect(listed.withLock { $0 } == 1_000)
    }
}
