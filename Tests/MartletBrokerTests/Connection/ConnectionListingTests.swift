import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Listings of connections", .timeLimit(.minutes(1)))
struct ConnectionListingTests {
    @Test("have every subscription once, however many turns they take")
    func manySubscriptions() throws {
        let broker = try TestBroker()
        let client = try broker.client()
        let count = 5_000
        try client.send((0..<count).map { "SUB a.\($0) \($0)\r\n" }.joined())
        try client.barrier()
        let listed = try #require(broker.connections(subscriptions: true).first)
        #expect(listed.subscriptions.count == count)
        #expect(Set(listed.subscriptions.map(\.subject)).count == count)
        #expect(listed.subscriptions.allSatisfy { "a.\($0.sid)" == $0.subject })
    }

    @Test("have every connection once, in turns that others take part in")
    func manyConnections() throws {
        let broker = try TestBroker()
        let clients = try broker.clients(300)
        let all = broker.connections()
        #expect(Set(all.map(\.id)) == Set(1...300) && all.count == 300)
        for client in clients { client.close() }
    }

    @Test("of some ids have those alone")
    func some() async throws {
        try await withBroker(loops: 2, port: -1) { broker in
            let clients = try (0..<6).map { _ in try RawClient(port: broker.clientPort) }
            for client in clients {
                try client.connect()
                try client.send("SUB a 1\r\n")
                try client.barrier()
            }
            let some = await broker.openConnections([2, 5, 77])
            #expect(Set(some.map(\.id)) == [2, 5])
            #expect(some.allSatisfy { $0.subscriptions.map(\.subject) == ["a"] })
        }
    }
}
