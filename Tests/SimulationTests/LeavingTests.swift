import MartletTestSupport
import Testing

@testable import MartletBroker

/// Connections that go and leave much behind.
@Suite struct LeavingTests {
    private let connect = "CONNECT {\"verbose\":false}\r\n"

    private func subscriptions(_ simulation: Simulation) -> Int {
        simulation.loops.reduce(0) { $0 + $1.counters.pointee.subscriptions.total }
    }

    private func client(_ simulation: Simulation, _ lines: String) -> SimulatedClient {
        let client = simulation.connect(loop: 0)
        client.queue(connect + lines)
        simulation.settle()
        return client
    }

    @Test func subscriptionsOfAClosedConnectionGoInPieces() throws {
        let simulation = try Simulation(seed: 1)
        let large = client(
            simulation, (0..<5_000).map { "SUB s.\($0 % 50) \($0)\r\n" }.joined())
        let small = client(simulation, "SUB s.1 1\r\n")
        #expect(subscriptions(simulation) == 5_001)
        large.close()
        var turns = 0
        var pongs = small.pongs
        while subscriptions(simulation) > 1 {
            let before = subscriptions(simulation)
            small.queue("PUB s.1 1\r\nx\r\nPING\r\n")
            _ = small.move()
            simulation.turn()
            _ = small.move()
            #expect(before - subscriptions(simulation) <= BrokerLoop.departuresPerTurn)
            turns += 1
            // Whoever else is there is served in each turn.
            if turns > 1 { #expect(small.pongs == pongs + 1) }
            pongs = small.pongs
            try #require(turns < 1_000)
        }
        #expect(turns >= 5_000 / BrokerLoop.departuresPerTurn)
        // Nobody else got what the closed connection had subscribed to.
        #expect(simulation.broker.snapshot().messagesOut == small.takeMessages().count)
        #expect(simulation.broker.snapshot().connections == 1)
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
    }

    @Test func itsSlotIsNobodysUntilTheLastIsGone() throws {
        let simulation = try Simulation(seed: 1)
        let large = client(simulation, (0..<2_000).map { "SUB s \($0)\r\n" }.joined())
        let slot = try #require(large.address.value).index
        large.close()
        simulation.turn()
        #expect(subscriptions(simulation) > 0)
        let next = simulation.connect(loop: 0)
        next.queue(connect + "SUB t 1\r\n")
        _ = next.move()
        simulation.turn()
        let nextSlot = try #require(next.address.value).index
        #expect(nextSlot != slot)
        simulation.settle()
        #expect(subscriptions(simulation) == 1)
        let last = client(simulation, "")
        let lastSlot = try #require(last.address.value).index
        #expect(lastSlot == slot)
    }

    @Test func aRequestToItsQueueGroupFindsAnotherMemberMeanwhile() throws {
        for loops in [1, 2] {
            let simulation = try Simulation(seed: 1, loops: loops)
            let members = (0..<1_000).map { "SUB work q \($0)\r\n" }.joined()
            let large = client(simulation, members)
            let other = simulation.connect(loop: loops - 1)
            other.queue(connect + "SUB work q 1\r\nSUB alive 1\r\n")
            simulation.settle()
            large.close()
            simulation.loops[0].events.turn(simulation.loops[0], waits: false)
            #expect(subscriptions(simulation) > 2)
            other.queue(String(repeating: "PUB work 1\r\nx\r\n", count: 50))
            simulation.settle()
            #expect(other.takeMessages().count == 50, "\(loops) loops: \(other.errors)")
        }
    }

    @Test(arguments: [1, 2])
    func anotherConnectIsCarriedOutWhenItsSubscriptionsAreGone(loops: Int) throws {
        let simulation = try Simulation(seed: 1, loops: loops)
        let large = client(
            simulation, (0..<5_000).map { "SUB s.\($0 % 50) \($0)\r\n" }.joined())
        let small = simulation.connect(loop: loops - 1)
        small.queue(connect + "SUB s.1 1\r\n")
        simulation.settle()
        large.queue(connect + "SUB s.1 new\r\nPUB s.1 2\r\nme\r\nPING\r\n")
        _ = large.move()
        var turns = 0
        while large.pongs == 0 {
            let (before, pongs) = (subscriptions(simulation), small.pongs)
            small.queue("PUB s.1 1\r\nx\r\nPING\r\n")
            _ = small.move()
            for loop in simulation.loops { loop.events.turn(loop, waits: false) }
            for loop in simulation.loops { loop.events.turn(loop, waits: false) }
            _ = small.move()
            _ = large.move()
            #expect(before - subscriptions(simulation) <= 2 * BrokerLoop.departuresPerTurn)
            if turns > 1 { #expect(small.pongs == pongs + 1) }
            turns += 1
            try #require(turns < 1_000)
        }
        #expect(turns >= 5_000 / BrokerLoop.departuresPerTurn / 2)
        #expect(subscriptions(simulation) == 2)
        // What came before the PONG may be for a subscription that was on its way out; the last one is its own.
        let messages = large.takeMessages()
        #expect(messages.last?.sid == "new")
        small.queue("PUB s.1 1\r\ny\r\n")
        simulation.settle()
        #expect(large.takeMessages().map(\.sid) == ["new"])
        #expect(large.errors.isEmpty)
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
    }

    @Test func deliveriesThatEndSubscriptionsMeanwhileLeaveNoneBehind() throws {
        let simulation = try Simulation(seed: 1)
        let large = client(
            simulation,
            (0..<3_000).map { "SUB s.\($0 % 50) \($0)\r\nUNSUB \($0) 1\r\n" }.joined())
        let small = client(simulation, "")
        large.queue(connect + "PING\r\n")
        _ = large.move()
        for i in 0..<10 {
            small.queue("PUB s.\(i) 1\r\nx\r\n")
            _ = small.move()
            simulation.turn()
        }
        simulation.settle()
        #expect(large.pongs == 1)
        #expect(subscriptions(simulation) == 0)
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
    }

    @Test func aClientThatGoesMeanwhileLeavesNothingBehind() throws {
        let simulation = try Simulation(seed: 1)
        let large = client(simulation, (0..<3_000).map { "SUB s \($0)\r\n" }.joined())
        let slot = try #require(large.address.value).index
        large.queue(connect + "SUB t 1\r\n")
        _ = large.move()
        for _ in 0..<3 { simulation.turn() }
        #expect((1..<3_000).contains(subscriptions(simulation)))
        // A paused connection is not read, so that it ends another way.
        let handle = try #require(large.address.value)
        let connection = try #require(simulation.loops[0].connection(handle))
        simulation.loops[0].close(connection, .writeError)
        simulation.settle()
        #expect(subscriptions(simulation) == 0)
        let next = client(simulation, "")
        let nextSlot = try #require(next.address.value).index
        #expect(nextSlot == slot)
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
    }

    @Test func connectionsThatCloseAtOnceAreClosedInPieces() throws {
        let simulation = try Simulation(seed: 1)
        let many = (0..<200).map { _ in simulation.connect(loop: 0) }
        simulation.settle()
        #expect(simulation.broker.snapshot().connections == 200)
        for one in many { one.queue("NONSENSE\r\n") }
        for one in many { _ = one.move() }
        var before = 200
        while before > 0 {
            simulation.turn()
            let now = simulation.broker.snapshot().connections
            #expect(before - now <= BrokerLoop.closesPerTurn)
            before = now
        }
        simulation.settle()
        let closed = many.filter(\.isClosed).count
        #expect(closed == 200)
    }

    @Test func longSubjectsCountForWhatTheyTake() throws {
        let simulation = try Simulation(seed: 1)
        let leaver = simulation.connect()
        let other = simulation.connect()
        let tokens = String(repeating: ".*", count: 1_900)
        leaver.queue(
            "CONNECT {\"verbose\":false}\r\n"
                + (0..<128).map { "SUB x\($0)\(tokens) \($0)\r\n" }.joined())
        other.queue("CONNECT {\"verbose\":false}\r\n")
        simulation.settle()
        leaver.close()
        var turns = 0
        while simulation.broker.snapshot().subscriptions > 0 {
            let before = simulation.broker.snapshot().subscriptions
            simulation.turn()
            #expect(before - simulation.broker.snapshot().subscriptions <= 2)
            turns += 1
            try #require(turns < 1_000)
        }
        #expect(turns >= 64)
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
    }
}
