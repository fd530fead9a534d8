import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Connections in the order of their ids") struct ConnectionOrderTests {
    private func ids(of loop: BrokerLoop, backwards: Bool = false) -> [UInt64] {
        var ids: [UInt64] = []
        let order = loop.state.pointee.order
        var slot = backwards ? order.last : order.first
        while slot != OrderLinks.none {
            let connection = loop.state.pointee.connections[Int(slot)]
            ids.append(connection.pointee.id)
            let links = connection.pointee.inOrder
            slot = backwards ? links.previous : links.next
        }
        #expect(ids.count == order.count)
        return ids
    }

    private final class Found: Sendable {
        let ids = Guarded<[UInt64]?>(nil)
        var all: [UInt64]? { ids.withLock { $0 } }
    }

    private func search(_ loop: BrokerLoop, _ countMax: Int) -> Found {
        let found = Found()
        loop.find(
            ConnectionSearch(countMax: countMax) { search in
                #expect(search.total >= search.found.count)
                found.ids.withLock { $0 = search.found.map(\.id) }
            })
        return found
    }

    /// 3,000 connections.
    private func crowd() throws -> Simulation {
        let simulation = try Simulation(seed: 1)
        for _ in 0..<3_000 { _ = simulation.connect() }
        simulation.settle()
        return simulation
    }

    @Test("are all that are open, whatever comes and goes", arguments: testSeeds(5))
    func areAllThatAreOpen(seed: UInt64) throws {
        let simulation = try Simulation(seed: seed, loops: 3)
        for _ in 0..<300 {
            if simulation.random.oneIn(3), !simulation.clients.isEmpty {
                simulation.random.pick(simulation.clients).close()
            } else {
                _ = simulation.connect()
            }
            if simulation.random.oneIn(4) { simulation.settle() }
        }
        simulation.settle()
        let open = simulation.clients.filter { !$0.isClosed }
        for loop in simulation.loops {
            let expected = open.filter { $0.loop == loop.index }.compactMap { client in
                client.address.value.flatMap { loop.connection($0)?.pointee.id }
            }
            #expect(ids(of: loop) == expected.sorted(), "seed \(seed)")
            #expect(ids(of: loop, backwards: true) == expected.sorted().reversed())
        }
    }

    @Test("those that overtook each other on their way to the loop stand where they belong")
    func overtaking() throws {
        let simulation = try Simulation(seed: 1)
        let loop = simulation.loops[0]
        for id in [5, 3, 9, 4, 1, 12] as [UInt64] {
            let pipe = MemoryPipe(capacity: 1 << 10, wakeBroker: {}, wakePeer: {})
            loop.mail.post(.adoptPipe(pipe, id: id, name: "", then: { _ in }))
        }
        simulation.settle()
        #expect(ids(of: loop) == [1, 3, 4, 5, 9, 12])
        #expect(ids(of: loop, backwards: true) == [12, 9, 5, 4, 3, 1])
    }

    @Test("the first ones are found without a look at the others")
    func costsWhatItShows() throws {
        let simulation = try crowd()
        let loop = simulation.loops[0]
        let all = ids(of: loop)
        #expect(all.count == 3_000)
        // At once: all 3,000 would take three turns.
        #expect(search(loop, 1).all == Array(all.prefix(1)))
        #expect(search(loop, 1_000).all == Array(all.prefix(1_000)))
        let many = search(loop, 2_500)
        #expect(many.all == nil)
        simulation.settle()
        #expect(many.all == Array(all.prefix(2_500)))
        let none = search(loop, 0)
        #expect(none.all == [])
    }

    @Test("a search goes on when the one that was next has gone")
    func nextOneGoes() throws {
        let simulation = try crowd()
        let loop = simulation.loops[0]
        var all = ids(of: loop)
        let found = search(loop, 3_000)
        let next = all.remove(at: ConnectionListing.stepsPerTurn)
        let client = simulation.clients.first { client in
            client.address.value.flatMap { loop.connection($0)?.pointee.id } == next
        }
        let handle = try #require(client?.address.value)
        loop.closeNow(try #require(loop.connection(handle)), .clientClosed)
        simulation.settle()
        #expect(found.all == all)
    }
}
