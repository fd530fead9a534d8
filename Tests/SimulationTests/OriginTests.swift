import MartletTestSupport
import Testing

@testable import MartletBroker

/// Messages that no connection has published.
@Suite struct OriginTests {
    private static let connect = "CONNECT {\"verbose\":false,\"headers\":true}\r\n"

    /// Publishes on loop 0 as the broker itself, which may ask to hear of a request that nobody gets.
    private func publish(
        _ subject: String, _ payload: [UInt8], reply: String = "", header: String = "",
        hearsNoResponders: Bool = false, in simulation: Simulation
    ) {
        let loop = simulation.loops[0]
        var origin = Origin(brokerIn: simulation.broker.shared.accounts.global, on: 0)
        if hearsNoResponders { origin.flags.insert(.noResponders) }
        withBytes([Array(subject.utf8), Array(reply.utf8), Array(header.utf8), payload]) { bytes in
            loop.publish(
                MessageParts(
                    subject: bytes[0], reply: bytes[1], header: bytes[2], payload: bytes[3]),
                from: origin)
        }
        loop.events.turn(loop, waits: false)
        simulation.settle()
    }

    private func withBytes(_ arrays: [[UInt8]], _ body: ([CountedBytes]) -> Void) {
        let copies = arrays.map { array in
            let copy = MutableBytes.allocate(capacity: array.count + 16)
            copy.initialize(repeating: 0, count: array.count + 16)
            copy.update(from: array, count: array.count)
            return copy
        }
        body(zip(copies, arrays).map { CountedBytes($0, $1.count) })
        for copy in copies { copy.deallocate() }
    }

    @Test(
        "The broker publishes to plain and queue subscribers of every loop", arguments: [1, 2, 4])
    func reachesEverySubscriber(loops: Int) throws {
        let simulation = try Simulation(seed: 1, loops: loops)
        let plain = (0..<loops).map { simulation.connect(loop: $0) }
        let members = (0..<loops).map { simulation.connect(loop: $0) }
        for client in plain { client.queue(Self.connect + "SUB orders.* 1\r\n") }
        for client in members { client.queue(Self.connect + "SUB orders.> workers 2\r\n") }
        #expect(simulation.barrier())
        let header = "NATS/1.0\r\nA: b\r\n\r\n"
        for payload in ["", "small", String(repeating: "large ", count: 10_000)] {
            publish(
                "orders.new", Array(payload.utf8), reply: "back", header: header, in: simulation)
            let wanted = Frame.Message(
                subject: "orders.new", sid: "1", reply: "back", header: header, text: payload)
            for client in plain { #expect(client.takeMessages() == [wanted]) }
            let queued = members.flatMap { $0.takeMessages() }
            #expect(queued.count == 1 && queued.first?.sid == "2")
            #expect(queued.first?.text == payload)
        }
        #expect((plain + members).allSatisfy { $0.garbage == nil && !$0.isClosed })
    }

    @Test("Nobody hears that a message of the broker has no subscriber", arguments: [1, 2])
    func noRespondersGoNowhere(loops: Int) throws {
        let simulation = try Simulation(seed: 2, loops: loops)
        let clients = (0..<loops).map { simulation.connect(loop: $0) }
        for client in clients { client.queue(Self.connect + "SUB back 1\r\n") }
        #expect(simulation.barrier())
        for hears in [false, true] {
            publish(
                "nobody.here", [1, 2, 3], reply: "back", hearsNoResponders: hears, in: simulation)
        }
        #expect(simulation.barrier())
        #expect(clients.allSatisfy { $0.messages.isEmpty && $0.errors.isEmpty && !$0.isClosed })
    }

    @Test("Nobody hears that the queue member a message of the broker was for has ended")
    func aMemberEndsMeanwhile() throws {
        let simulation = try Simulation(seed: 3, loops: 2)
        let member = simulation.connect(loop: 1)
        let requester = simulation.connect(loop: 0)
        requester.queue(Self.connect + "SUB back 1\r\n")
        for hears in [false, true] {
            member.queue(Self.connect + "SUB work workers 1\r\n")
            #expect(simulation.barrier())
            // The batch is posted when loop 0's turn ends: loop 1 reads the UNSUB before it.
            member.queue("UNSUB 1\r\n")
            #expect(member.move())
            let loop = simulation.loops[0]
            var origin = Origin(brokerIn: simulation.broker.shared.accounts.global, on: 0)
            if hears { origin.flags.insert(.noResponders) }
            withBytes([Array("work".utf8), Array("back".utf8), [7]]) { bytes in
                loop.publish(
                    MessageParts(subject: bytes[0], reply: bytes[1], payload: bytes[2]),
                    from: origin)
            }
            simulation.loops[1].events.turn(simulation.loops[1], waits: false)
            loop.events.turn(loop, waits: false)
            simulation.settle()
            #expect(simulation.barrier())
            #expect(member.messages.isEmpty && requester.messages.isEmpty)
        }
    }

    @Test("A subscriber blocked by the broker's messages pauses nobody", arguments: [1, 2])
    func nobodyIsPaused(loops: Int) throws {
        let simulation = try Simulation(seed: 4, loops: loops) {
            $0.limits.payloadBytesMax = 64 << 10
            $0.limits.pendingBytesMax = 64 << 10
            $0.slowConsumers.defaultPolicy = .block
        }
        let subscriber = simulation.connect(pipeBytes: 4_096, loop: loops - 1)
        let other = simulation.connect(loop: 0)
        subscriber.queue(Self.connect + "SUB a 1\r\n")
        other.queue(Self.connect)
        #expect(simulation.barrier())
        subscriber.isDeaf = true
        for _ in 0..<200 { publish("a", [UInt8](repeating: 7, count: 1_000), in: simulation) }
        #expect(simulation.broker.snapshot().pausedPublishers == 0)
        subscriber.isDeaf = false
        #expect(simulation.barrier())
        #expect(subscriber.messages.count == 200 && !subscriber.isClosed)
    }
}
