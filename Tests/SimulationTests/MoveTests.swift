import MartletTestSupport
import Testing

@testable import MartletBroker

/// A connection goes to another loop: what may happen meanwhile.
@Suite("A connection that moves") struct MoveTests {
    private let connect =
        "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1}\r\n"

    private func client(
        _ simulation: Simulation, loop: Int, pipeBytes: Int = 1 << 20, _ lines: String = ""
    ) -> SimulatedClient {
        let client = simulation.connect(pipeBytes: pipeBytes, loop: loop)
        client.queue(connect + lines)
        simulation.settle()
        _ = client.takeMessages()
        return client
    }

    private func turn(_ simulation: Simulation, _ loop: Int) {
        simulation.loops[loop].events.turn(simulation.loops[loop], waits: false)
    }

    private func say(_ text: String, by client: SimulatedClient, in simulation: Simulation) {
        client.queue(text)
        simulation.settle()
    }

    private func subscriptions(_ simulation: Simulation) -> Int {
        simulation.loops.reduce(0) { $0 + $1.counters.pointee.subscriptions.total }
    }

    private func expectAllBlocksBack(_ simulation: Simulation) {
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
        #expect(simulation.broker.snapshot().connections == 0)
        #expect(subscriptions(simulation) == 0)
    }

    @Test("has all it had: subscriptions, counts, half an operation")
    func keepsWhatItHas() throws {
        let simulation = try Simulation(seed: 1, loops: 2)
        let mover = client(simulation, loop: 0, "SUB a.* 1\r\nSUB b q 2\r\n")
        let other = client(simulation, loop: 1, "SUB c 1\r\n")
        say("PUB a.x 1\r\n1\r\nPUB b 1\r\n2\r\n", by: other, in: simulation)
        say("PUB c 5\r\nhe", by: mover, in: simulation)
        let id = try #require(simulation.place(of: mover)).connection.pointee.id
        #expect(simulation.move(mover, to: 1))
        simulation.settle()
        let place = try #require(simulation.place(of: mover))
        #expect(place.loop.index == 1 && place.connection.pointee.id == id)
        say("llo\r\n", by: mover, in: simulation)
        say("PUB a.y 1\r\n3\r\nPUB b 1\r\n4\r\n", by: other, in: simulation)
        #expect(mover.takeMessages().map(\.text) == ["1", "2", "3", "4"])
        #expect(other.takeMessages().map(\.text) == ["hello"])
        let snapshot = place.loop.snapshot(
            of: place.connection, withSubscriptions: true, reason: nil)
        #expect(snapshot.messagesOut == 4 && snapshot.messagesIn == 1 && snapshot.loop == 1)
        #expect(snapshot.subscriptions.map(\.messages).sorted() == [2, 2])
        #expect(simulation.broker.snapshot().connections == 2)
        #expect(subscriptions(simulation) == 3)
        expectAllBlocksBack(simulation)
    }

    @Test("goes back and forth while others publish, and gets each message once and in order")
    func goesBackAndForth() throws {
        let simulation = try Simulation(seed: 2, loops: 3)
        let mover = client(simulation, loop: 0, pipeBytes: 2_000, "SUB a 1\r\n")
        let publishers = (0..<3).map { client(simulation, loop: $0) }
        var next = 0
        for i in 0..<300 {
            for publisher in publishers {
                publisher.queue("PUB a \(String(next).count)\r\n\(next)\r\n")
                next += 1
                _ = publisher.move()
            }
            simulation.move(mover, to: i % 3)
            turn(simulation, simulation.random.below(3))
            if i % 7 == 0 { _ = mover.move() }
        }
        simulation.settle()
        #expect(simulation.moveCount > 20)
        let got = mover.takeMessages().compactMap { Int($0.text) }
        #expect(got.count == next)
        for i in 0..<3 {
            let own = got.filter { $0 % 3 == i }
            #expect(own == own.sorted() && Set(own).count == own.count)
        }
        expectAllBlocksBack(simulation)
    }

    @Test("gets what was on its way to the old place before what went to the new one")
    func fencesKeepOrder() throws {
        let simulation = try Simulation(seed: 3, loops: 3)
        let mover = client(simulation, loop: 0, "SUB a 1\r\n")
        let publisher = client(simulation, loop: 2)
        // Posted to the old place, which does not look before the new one has switched.
        publisher.queue("PUB a 1\r\n1\r\n")
        _ = publisher.move()
        #expect(simulation.move(mover, to: 1))
        turn(simulation, 2)
        turn(simulation, 1)
        publisher.queue("PUB a 1\r\n2\r\n")
        _ = publisher.move()
        turn(simulation, 2)
        // The new one has got the second message already.
        turn(simulation, 1)
        _ = mover.move()
        #expect(mover.takeMessages().isEmpty)
        simulation.settle()
        #expect(mover.takeMessages().map(\.text) == ["1", "2"])
    }

    @Test("stays while an UNSUB maximum counts; one that comes after counts what came before")
    func unsubscribeMaximum() throws {
        let simulation = try Simulation(seed: 4, loops: 2)
        let mover = client(simulation, loop: 0, "SUB a 1\r\nUNSUB 1 2\r\nSUB b 2\r\n")
        let publisher = client(simulation, loop: 1)
        #expect(!simulation.move(mover, to: 1))
        say("PUB a 0\r\n\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\n", by: publisher, in: simulation)
        #expect(mover.takeMessages().count == 2)
        say("PUB b 0\r\n\r\n", by: publisher, in: simulation)
        #expect(simulation.move(mover, to: 1))
        publisher.queue("PUB b 0\r\n\r\n")
        // It is read when the connection has arrived.
        mover.queue("UNSUB 2 4\r\n")
        simulation.settle()
        #expect(simulation.loopIndex(of: mover) == 1)
        for _ in 0..<5 { say("PUB b 0\r\n\r\n", by: publisher, in: simulation) }
        #expect(mover.takeMessages().count == 4)
        expectAllBlocksBack(simulation)
    }

    @Test("in a queue group gets no message twice and loses none", arguments: testSeeds(20))
    func queueGroup(seed: UInt64) throws {
        let simulation = try Simulation(seed: seed, loops: 4)
        let members = (0..<3).map { client(simulation, loop: $0, "SUB w q 1\r\n") }
        let publishers = (0..<4).map { client(simulation, loop: $0) }
        var sent = 0
        for _ in 0..<100 {
            let publisher = simulation.random.pick(publishers)
            publisher.queue("PUB w \(String(sent).count)\r\n\(sent)\r\n")
            sent += 1
            _ = publisher.move()
            simulation.move(simulation.random.pick(members), to: simulation.random.below(4))
            for _ in 0..<3 { simulation.turn() }
        }
        simulation.settle()
        let got = members.flatMap { $0.takeMessages() }.compactMap { Int($0.text) }
        #expect(got.sorted() == Array(0..<sent), "MARTLET_SEED=\(seed)")
        #expect(simulation.moveCount > 5)
    }

    @Test("may close at any moment of it", arguments: 0..<12)
    func closesMeanwhile(turns: Int) throws {
        let simulation = try Simulation(seed: 5, loops: 2)
        let mover = client(simulation, loop: 0, "SUB a 1\r\nSUB b q 2\r\n")
        let other = client(simulation, loop: 1)
        #expect(simulation.move(mover, to: 1))
        for i in 0..<turns { turn(simulation, (i + turns) % 2) }
        mover.close()
        for i in 0..<3 { turn(simulation, i % 2) }
        say("PUB a 0\r\n\r\nPUB b 0\r\n\r\nPING\r\n", by: other, in: simulation)
        #expect(other.pongs == 1)
        #expect(simulation.broker.snapshot().connections == 1)
        #expect(simulation.broker.shared.closedConnections.count == 1)
        #expect(subscriptions(simulation) == 0)
        expectAllBlocksBack(simulation)
    }

    @Test("is closed as a slow consumer for what waits at both places together")
    func slowConsumer() throws {
        let simulation = try Simulation(seed: 6, loops: 2) {
            $0.limits.pendingBytesMax = 20_000
            $0.limits.payloadBytesMax = 10_000
        }
        let mover = client(simulation, loop: 0, pipeBytes: 100, "SUB a 1\r\n")
        mover.isDeaf = true
        let publisher = client(simulation, loop: 0)
        let message = "PUB a 9000\r\n\(String(repeating: "x", count: 9_000))\r\n"
        #expect(simulation.move(mover, to: 1))
        publisher.queue(message)
        _ = publisher.move()
        turn(simulation, 0)
        // The switch; the publisher's loop looks up the new place, where two are gathered.
        turn(simulation, 1)
        publisher.queue(message + message)
        _ = publisher.move()
        simulation.settle()
        #expect(simulation.broker.snapshot().slowConsumersByBytes == 1)
        #expect(simulation.broker.snapshot().connections == 1)
        expectAllBlocksBack(simulation)
    }

    @Test("brings what its socket has not taken, in pieces, before what came to the new place")
    func unsentOutput() throws {
        let simulation = try Simulation(seed: 7, loops: 2)
        let mover = client(simulation, loop: 0, pipeBytes: 1_000, "SUB a 1\r\n")
        mover.isDeaf = true
        let publisher = client(simulation, loop: 1)
        func publish(_ number: Int) {
            let text = "\(number) " + String(repeating: "x", count: 15_000)
            publisher.queue("PUB a \(text.count)\r\n\(text)\r\n")
        }
        // Much is on its way to the old place when the move begins.
        for i in 0..<60 { publish(i) }
        _ = publisher.move()
        turn(simulation, 1)
        #expect(simulation.move(mover, to: 1))
        for i in 0..<3 { turn(simulation, 1 - i % 2) }
        for i in 60..<70 { publish(i) }
        _ = publisher.move()
        simulation.settle()
        #expect(simulation.loopIndex(of: mover) == 1)
        mover.isDeaf = false
        simulation.settle()
        let got = mover.takeMessages().compactMap { Int($0.text.prefix { $0.isNumber }) }
        #expect(got == Array(0..<70))
        expectAllBlocksBack(simulation)
    }

    @Test("stays, and misses nothing, when the other loop has no room")
    func otherLoopHasNoRoom() throws {
        let simulation = try Simulation(seed: 8, loops: 2)
        let mover = client(simulation, loop: 0, "SUB a 1\r\n")
        let publisher = client(simulation, loop: 1)
        simulation.loops[1].state.pointee.isStopping = true
        #expect(simulation.move(mover, to: 1))
        simulation.loops[0].sendNoRespondersLater(
            origin(of: mover, in: simulation), Array("q".utf8), Array("a".utf8))
        say("PUB a 1\r\n1\r\n", by: publisher, in: simulation)
        say("PING\r\n", by: mover, in: simulation)
        #expect(simulation.loopIndex(of: mover) == 0 && mover.pongs == 1)
        #expect(mover.takeMessages().count == 2)
        simulation.loops[1].state.pointee.isStopping = false
        #expect(simulation.move(mover, to: 1))
        simulation.settle()
        #expect(simulation.loopIndex(of: mover) == 1)
        expectAllBlocksBack(simulation)
    }

    private func origin(of client: SimulatedClient, in simulation: Simulation) -> Origin {
        let place = simulation.place(of: client)!
        return Origin(place.connection, on: place.loop.index)
    }

    @Test(
        "hears at the new place that nobody answers what it asked at the old one", arguments: 0..<5)
    func noResponders(turns: Int) throws {
        let simulation = try Simulation(seed: 9, loops: 2)
        let mover = client(simulation, loop: 0, "SUB inbox 1\r\n")
        let asked = origin(of: mover, in: simulation)
        #expect(simulation.move(mover, to: 1))
        for i in 0..<turns { turn(simulation, 1 - i % 2) }
        simulation.loops[0].sendNoRespondersLater(
            asked, Array("service".utf8), Array("inbox".utf8))
        simulation.settle()
        let got = mover.takeMessages()
        #expect(got.count == 1 && got[0].header.contains("503"))
    }

    @Test("ends with the loops, wherever it is", arguments: 0..<8, [false, true])
    func loopsStop(turns: Int, targetFirst: Bool) throws {
        let simulation = try Simulation(seed: 10, loops: 2)
        let mover = client(simulation, loop: 0, "SUB a 1\r\n")
        mover.queue("PING\r\n")
        #expect(simulation.move(mover, to: 1))
        for i in 0..<turns { turn(simulation, 1 - i % 2) }
        for loop in targetFirst ? simulation.loops.reversed() : simulation.loops {
            loop.closeEverything()
            loop.declineCommands()
        }
        _ = mover.move()
        _ = mover.move()
        #expect(mover.isClosed)
        #expect(subscriptions(simulation) == 0)
        let tree = simulation.broker.shared.accounts.global.space.pointee.contents
        #expect(tree.pointee.tree.subscriptionCount == 0)
    }

    @Test("hears of lame duck mode, and does not move in it", arguments: 0..<6)
    func lameDuck(turns: Int) throws {
        let simulation = try Simulation(seed: 11, loops: 2)
        let mover = client(simulation, loop: 0)
        let before = mover.infos
        #expect(simulation.move(mover, to: 1))
        for i in 0..<turns { turn(simulation, 1 - i % 2) }
        for loop in simulation.loops { loop.mail.post(.enterLameDuck) }
        simulation.settle()
        #expect(mover.infos > before)
        #expect(!simulation.move(mover, to: 1 - simulation.loopIndex(of: mover)!))
    }

    @Test("is looked at again when a reload changes who may be here", arguments: 0..<6)
    func reload(turns: Int) throws {
        let simulation = try Simulation(seed: 12, loops: 2) {
            $0.authorization.user = "u"
            $0.authorization.password = "p"
        }
        let mover = simulation.connect(loop: 0)
        mover.queue("CONNECT {\"verbose\":false,\"user\":\"u\",\"pass\":\"p\"}\r\nPING\r\n")
        simulation.settle()
        #expect(mover.pongs == 1)
        #expect(simulation.move(mover, to: 1))
        for i in 0..<turns { turn(simulation, 1 - i % 2) }
        var changed = simulation.broker.configuration
        changed.authorization.password = "other"
        simulation.broker.shared.replace(changed)
        // The new place is asked before the connection is there, the old one when it has gone, or not.
        for loop in simulation.loops.reversed() {
            loop.mail.post(.adoptSettings(LoopSettings(changed)) {})
            loop.mail.post(.reviewAccess(from: 0) {})
        }
        simulation.settle()
        #expect(mover.errors == ["'Authorization Violation'"] && mover.isClosed)
    }

    @Test("waits for a message that is delivered in pieces along a route from before")
    func routesFromBefore() throws {
        let simulation = try Simulation(seed: 13, loops: 2)
        let crowd = client(
            simulation, loop: 0, pipeBytes: 8 << 20,
            (0..<3 * Route.plainCountAtOnce).map { "SUB w \($0)\r\n" }.joined())
        let mover = client(simulation, loop: 0, "SUB w 1\r\n")
        let publisher = client(simulation, loop: 0)
        publisher.queue("PUB w 1\r\n1\r\nPUB w 1\r\n2\r\n")
        _ = publisher.move()
        turn(simulation, 0)
        #expect(simulation.loops[0].state.pointee.longPublishes.count > 0)
        #expect(simulation.move(mover, to: 1))
        simulation.settle()
        #expect(simulation.loopIndex(of: mover) == 1)
        #expect(mover.takeMessages().map(\.text) == ["1", "2"])
        #expect(crowd.takeMessages().count == 6 * Route.plainCountAtOnce)
    }

    @Test("is not one that has something unusual about it")
    func whoStays() throws {
        let simulation = try Simulation(seed: 14, loops: 2) {
            $0.slowConsumers.defaultPolicy = .close
            $0.slowConsumers.rules = [.init(subject: "block", policy: .block)]
        }
        let silent = simulation.connect(loop: 0)
        simulation.settle()
        #expect(!simulation.move(silent, to: 1), "it has not said CONNECT")
        let many = client(
            simulation, loop: 0,
            (0...BrokerLoop.movedSubscriptionsMax).map { "SUB s \($0)\r\n" }.joined())
        #expect(!simulation.move(many, to: 1))
        let half = client(simulation, loop: 0)
        say("PUB a 20000\r\nx", by: half, in: simulation)
        #expect(!simulation.move(half, to: 1), "a large payload is half read")
        let blocks = client(simulation, loop: 0, "SUB block 1\r\n")
        #expect(!simulation.move(blocks, to: 1))
        let deaf = client(simulation, loop: 0)
        deaf.queue("CONNECT {\"verbose\":false,\"echo\":false}\r\nSUB a q 1\r\n")
        simulation.settle()
        #expect(!simulation.move(deaf, to: 1), "a queue group must tell its own messages")
        let plain = client(simulation, loop: 0)
        #expect(!simulation.move(plain, to: 0), "it is there already")
        #expect(simulation.move(plain, to: 1))
        #expect(!simulation.move(plain, to: 1), "it is on its way")
    }

    @Test("is one of the busiest that are no more than what is to go, once their work is known")
    func relief() throws {
        let simulation = try Simulation(seed: 15, loops: 2)
        let clients = (0..<4).map { client(simulation, loop: 0, "SUB s.\($0) 1\r\n") }
        let publisher = client(simulation, loop: 1)
        let relief = Relief(from: 0, to: 1, part: 0.5, connectionsMax: 1)
        simulation.loops[0].relieve(relief)
        simulation.settle()
        #expect(clients.allSatisfy { simulation.loopIndex(of: $0) == 0 }, "nothing is known yet")
        // Of 100 messages 60, 30, 10 and none.
        for (i, count) in [60, 30, 10, 0].enumerated() {
            publisher.queue(String(repeating: "PUB s.\(i) 0\r\n\r\n", count: count))
        }
        simulation.settle()
        simulation.loops[0].relieve(relief)
        simulation.settle()
        #expect(clients.map { simulation.loopIndex(of: $0) } == [0, 1, 0, 0])
    }
}
