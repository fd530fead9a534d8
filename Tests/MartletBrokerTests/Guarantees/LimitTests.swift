import Foundation
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

extension Guarantees {
    @Suite(.serialized) struct Limits {
        @Test("max_connections is exact, whoever comes at once", arguments: BrokerSetup.all)
        func connections(setup: BrokerSetup) throws {
            let broker = try setup.broker { $0.limits.connectionsMax = 40 }
            for _ in 0..<5 {
                let admitted = Guarded<[RawClient]>([])
                let refused = Atomic<Int>(0)
                try onThreads(8) { _ in
                    for _ in 0..<10 {
                        let client = try broker.rawClient()
                        do {
                            try client.connect()
                            admitted.withLock { $0.append(client) }
                        } catch ClientFailure.closed(_, let having)
                            where having.contains("maximum connections exceeded")
                        {
                            refused.wrappingAdd(1, ordering: .relaxed)
                        } catch ClientFailure.send {
                            refused.wrappingAdd(1, ordering: .relaxed)
                        }
                    }
                }
                let counts = (admitted.withLock { $0.count }, refused.load(ordering: .relaxed))
                #expect(counts == (40, 40))
                for client in admitted.withLock({ $0 }) { try client.barrier() }
                for client in admitted.withLock({ $0 }) { client.close() }
                #expect(eventually { broker.connections().isEmpty })
            }
        }

        @Test(
            "A burst of connections spreads over the loops",
            arguments: BrokerSetup.with(loops: [2, 4]))
        func spread(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker()
            let clients = try (0..<200).map { _ in try broker.rawClient() }
            #expect(eventually { broker.connections().count == 200 })
            let counts = Dictionary(grouping: broker.connections(), by: \.loop).mapValues(\.count)
            #expect(counts.values.allSatisfy { abs($0 - 200 / loops) <= 2 }, "\(counts)")
            for client in clients { client.close() }
        }

        @Test(
            "Payloads and control lines over their limits close the connection",
            arguments: BrokerSetup.all)
        func sizes(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker {
                $0.limits.payloadBytesMax = 30_000
                $0.limits.controlLineBytesMax = 512
            }
            for _ in 0..<loops {
                let subscriber = try broker.subscriber("SUB p 1")
                let client = try broker.client()
                for size in [29_999, 30_000] {
                    try client.send(pub("p", String(repeating: "x", count: size)))
                    #expect(try subscriber.message().payload.count == size)
                }
                try client.send("PUB p 30001\r\n")
                #expect(try client.framesToEnd().last == .error("'Maximum Payload Violation'"))
                let other = try broker.client()
                try other.send("SUB \(String(repeating: "a", count: 510)) 1\r\n")
                try other.barrier()
                try other.send("SUB \(String(repeating: "a", count: 511)) 1\r\n")
                #expect(try other.framesToEnd().last == .error("'maximum control line exceeded'"))
            }
        }

        @Test("max_subscriptions and max_sub_tokens refuse, and go on", arguments: BrokerSetup.all)
        func subscriptions(setup: BrokerSetup) throws {
            let broker = try setup.broker {
                $0.limits.subscriptionsMax = 5
                $0.limits.subscriptionTokensMax = 3
            }
            let client = try broker.client()
            try client.send((0..<8).map { "SUB s.\($0) \($0)\r\n" }.joined())
            #expect(
                try client.barrier()
                    == [Frame](repeating: .error("'maximum subscriptions exceeded'"), count: 3))
            try client.send("UNSUB 0\r\nSUB a.b.c.d 10\r\nSUB a.b.c 11\r\n" + pub("a.b.c", "x"))
            let frames = try client.barrier()
            #expect(frames.count == 2)
            #expect(frames.last?.message?.sid == "11")
        }

        /// A stall of the machine makes the rate lower, never higher, for it is taken from before the
        /// first is sent: the measurement gets a second try.
        @Test(
            "A connection publishes no faster than its rate; others do", arguments: BrokerSetup.all,
            [true, false])
        func rate(setup: BrokerSetup, ofMessages: Bool) throws {
            let limit = 2_000.0
            var measured = try measureRate(Int(limit), setup, ofMessages: ofMessages)
            #expect(measured < 1.05 * limit)
            if measured < 0.9 * limit {
                measured = try measureRate(Int(limit), setup, ofMessages: ofMessages)
            }
            #expect(abs(measured - limit) < 0.1 * limit)
        }

        private func measureRate(
            _ limit: Int, _ setup: BrokerSetup, ofMessages: Bool
        ) throws -> Double {
            let measured = Guarded(0.0)
            let size = 200
            let broker = try setup.broker {
                if ofMessages {
                    $0.limits.publishedMessagesPerSecondMax = limit
                } else {
                    $0.limits.publishedBytesPerSecondMax = limit * size
                }
                // Its PONGs wait behind what it has sent.
                $0.keepalive.pingIntervalNanoseconds = 400_000_000
                $0.keepalive.pingsOutstandingMax = 2
            }
            let subscriber = try broker.subscriber("SUB fast 1", "SUB modest 2")
            let fast = try broker.client()
            let modest = try broker.client()
            let count = limit * 5 / 2
            let text = pub("fast", String(repeating: "x", count: size))
            let begin = ContinuousClock.now
            try onThreads(3) { i in
                switch i {
                case 0:
                    try fast.send(String(repeating: text, count: count) + "PING\r\n")
                    while true {
                        let frame = try #require(try fast.next(), "closed")
                        if frame == .pong { break }
                        if frame == .ping { try fast.send("PONG\r\n") }
                    }
                    // Who is done answers no more PINGs.
                    fast.close()
                case 1:
                    var waits: [Duration] = []
                    for _ in 0..<100 {
                        let started = ContinuousClock.now
                        try modest.send(pub("modest", "x") + "PING\r\n")
                        for case .ping in try modest.framesToPong() { try modest.send("PONG\r\n") }
                        waits.append(started.duration(to: .now))
                        Thread.sleep(forTimeInterval: 0.01)
                    }
                    modest.close()
                    // It never waits for the fast one, which is paused most of the time. The median,
                    // because the machine has other things to do too.
                    #expect(waits.sorted()[50] < .milliseconds(20))
                default:
                    var seen = 0
                    while seen < count { seen += try subscriber.message().sid == "1" ? 1 : 0 }
                    let seconds = begin.duration(to: .now) / .seconds(1)
                    subscriber.close()
                    // Less the burst of a tenth of a second's worth.
                    measured.withLock { $0 = Double(count - limit / 10) / seconds }
                }
            }
            #expect(broker.broker.snapshot().staleConnections == 0)
            // One entry in the timers for each deadline that counts, not for each pause.
            broker.broker.stop()
            for loop in broker.broker.shared.loops { #expect(loop.events.timers.count < 200) }
            return measured.withLock { $0 }
        }

        @Test("Who does not authenticate in time is closed", arguments: BrokerSetup.all)
        func authenticationTimeout(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker {
                $0.authorization.user = "u"
                $0.authorization.password = "p"
                $0.authorization.timeoutNanoseconds = 800_000_000
            }
            let silent = try (0..<loops).map { _ in try broker.rawClient() }
            let known = try broker.rawClient()
            try known.send("CONNECT {\"verbose\":false,\"user\":\"u\",\"pass\":\"p\"}\r\nPING\r\n")
            _ = try known.framesToPong()
            for client in silent {
                #expect(try client.framesToEnd().last == .error("'Authentication Timeout'"))
            }
            try known.barrier()
        }

        @Test("Who answers no PING is stale; who answers stays", arguments: BrokerSetup.all)
        func stale(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker {
                $0.keepalive.pingIntervalNanoseconds = 600_000_000
                $0.keepalive.pingsOutstandingMax = 2
            }
            let silent = try broker.clients(loops)
            let lively = try broker.client()
            let deadline = ContinuousClock.now + .seconds(2.8)
            while ContinuousClock.now < deadline {
                if case .ping = try #require(try lively.next()) { try lively.send("PONG\r\n") }
            }
            for client in silent {
                #expect(try client.framesToEnd() == [.ping, .ping, .error("'Stale Connection'")])
            }
            #expect(broker.broker.snapshot().staleConnections == loops)
            try lively.barrier()
        }

        @Test(
            "The last closed connections are remembered, no more than max_closed_clients",
            arguments: BrokerSetup.with(loops: [2]))
        func closedConnections(setup: BrokerSetup) throws {
            let broker = try setup.broker { $0.limits.closedConnectionsMax = 10 }
            for _ in 0..<25 {
                try broker.client().close()
                // One after the other: two loops close in no order of their own.
                #expect(eventually { broker.connections().isEmpty })
            }
            let closed = broker.broker.shared.closedConnections
            #expect(Set(closed.map(\.id)).count == 10)
            #expect(closed.allSatisfy { $0.id > 10 && $0.closeReason == "Client Closed" })
        }
    }
}
