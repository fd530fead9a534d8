import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Listings of connections", .timeLimit(.minutes(isSanitized ? 10 : 1)))
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

    @Test(
        "a page has its part of them in the order of their ids, whatever their loops",
        arguments: [1, 3])
    func pages(loops: Int) async throws {
        try await withBroker(loops: loops, port: -1) { broker in
            let clients = try (0..<20).map { _ in try RawClient(port: broker.clientPort) }
            for client in clients {
                try client.connect()
                try client.send("SUB a 1\r\n")
                try client.barrier()
            }
            for (offset, limit) in [
                (0, 1), (0, 7), (7, 7), (14, 7), (19, .max), (20, 5), (.max, 9),
            ] {
                let (total, page) = await broker.openConnections(
                    offset: offset, limit: limit, subscriptions: offset == 7)
                #expect(total == 20)
                let ids = (1...20).dropFirst(offset).prefix(limit).map { UInt64($0) }
                #expect(page.map(\.id) == ids, "offset \(offset), limit \(limit)")
                let subjects = offset == 7 ? ["a"] : []
                #expect(page.allSatisfy { $0.subscriptions.map(\.subject) == subjects })
            }
        }
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
            let some = await broker.openConnections([2, 5, 77], subscriptions: true)
            #expect(Set(some.map(\.id)) == [2, 5])
            #expect(some.allSatisfy { $0.subscriptions.map(\.subject) == ["a"] })
        }
    }
}
