import Foundation
import MartletTestSupport
import Testing

@testable import MartletBroker

extension Guarantees {
    @Suite(.serialized) struct Robustness {
        @Test("A peer that sends a byte at a time is understood", arguments: BrokerSetup.all)
        func bytewise(setup: BrokerSetup) throws {
            let broker = try setup.broker()
            let client = try broker.rawClient()
            let header = "NATS/1.0\r\nA: b\r\n\r\n"
            let script =
                "CONNECT {\"verbose\":false,\"headers\":true}\r\nSUB a.* 1\r\nSUB b g 22\r\n"
                + pub("a.b", "hello", reply: "r")
                + "HPUB b \(header.utf8.count) \(header.utf8.count + 3)\r\n\(header)xyz\r\n"
                + "PING\r\nUNSUB 1\r\n" + pub("a.b", "no") + "PING\r\n"
            for byte in script.utf8 { try client.send([byte]) }
            var frames = try client.framesToPong()
            frames.removeFirst()  // INFO
            #expect(frames.compactMap(\.message?.text) == ["hello", "xyz"])
            #expect(frames.last?.message?.header == header)
            #expect(try client.framesToPong().isEmpty)
        }

        @Test(
            "What was published before the close is delivered", arguments: BrokerSetup.all,
            [true, false])
        func publishAndClose(setup: BrokerSetup, withReset: Bool) throws {
            let broker = try setup.broker()
            let subscriber = try broker.subscriber("SUB gone 1")
            var expected = 0
            for round in 0..<100 {
                let client = try broker.rawClient()
                // It leaves before its INFO and PONGs have come: the broker cannot write to it.
                // As much as the kernel takes at once: the client's end of it is gone with the close.
                let count = round % 10 * 4 + 1
                try client.send(
                    "CONNECT {\"verbose\":\(round % 2 == 0)}\r\n"
                        + String(
                            repeating: "PING\r\n"
                                + pub("gone", String(repeating: "x", count: 1_000)), count: count))
                #expect(eventually { client.hasSentAll })
                if withReset { client.reset() } else { client.close() }
                expected += count
            }
            for n in 0..<expected {
                let message = try? subscriber.message()
                try #require(message != nil, "\(n) of \(expected)")
            }
            #expect(eventually { broker.connections().count == 1 })
        }

        @Test("A reset in the middle of anything leaves nothing behind", arguments: BrokerSetup.all)
        func resets(setup: BrokerSetup) throws {
            let broker = try setup.broker()
            var random = SeededRandom(printedFor: "resets")
            let script = Array(
                ("CONNECT {\"verbose\":false}\r\nSUB a 1\r\nSUB a q 2\r\nSUB a.> 3\r\n"
                    + pub("a", String(repeating: "x", count: 100_000)) + pub("a.b", "y")
                    + String(repeating: pub("a", "z"), count: 100)).utf8)
            for _ in 0..<200 {
                let client = try broker.rawClient()
                try client.send(Array(script.prefix(random.below(script.count))))
                client.reset()
            }
            #expect(eventually { broker.connections().isEmpty })
            #expect(broker.broker.snapshot().subscriptions == 0)
            #expect(broker.broker.routingSnapshot().subscriptions == 0)
        }

        @Test(
            "A hundred thousand subscriptions on one connection come and go",
            arguments: BrokerSetup.with(loops: [1, 4]))
        func manySubscriptions(setup: BrokerSetup) throws {
            let broker = try setup.broker()
            let publisher = try broker.client()
            let count = repetitions(20_000, long: 100_000)
            for _ in 0..<2 {
                let client = try broker.client()
                for first in stride(from: 0, to: count, by: 1_000) {
                    try client.send(
                        (first..<(first + 1_000)).map { "SUB many.\($0 % 100).\($0) \($0)\r\n" }
                            .joined())
                }
                try client.barrier()
                try publisher.send(pub("many.7.1007", "x"))
                #expect(try client.message().sid == "1007")
                #expect(broker.broker.snapshot().subscriptions == count)
                client.close()
                #expect(eventually { broker.broker.snapshot().subscriptions == 0 })
                #expect(broker.broker.routingSnapshot().subscriptions == 0)
                try publisher.barrier()
            }
        }

        @Test("Wildcards come and go while messages flow", arguments: BrokerSetup.all)
        func wildcardChurn(setup: BrokerSetup) throws {
            let broker = try setup.broker()
            let steady = try broker.subscriber("SUB w.> 1")
            let publishers = try broker.clients(2)
            let restless = try broker.clients(3)
            let rounds = repetitions(300, long: 5_000)
            try onThreads(6) { i in
                if i < 2 {
                    for n in 0..<rounds {
                        try publishers[i].send(
                            (0..<10).map { pub("w.\(n % 5).\($0)", "x") }.joined())
                    }
                    try publishers[i].barrier()
                } else if i < 5 {
                    let filters = ["w.*.1", "w.>", "*.*.*", ">", "w.3.*", "w.3.4", "w.*.*"]
                    for n in 0..<rounds {
                        let filter = filters[(n + i) % filters.count]
                        try restless[i - 2].send(
                            "SUB \(filter) 1\r\nSUB \(filter) q 2\r\nPING\r\nUNSUB 1\r\nUNSUB 2\r\n"
                        )
                        _ = try restless[i - 2].framesToPong()
                    }
                } else {
                    for _ in 0..<(rounds * 20) { _ = try steady.message() }
                }
            }
            #expect(try steady.barrier().isEmpty)
        }

        @Test("Connects and disconnects use up no slots", arguments: BrokerSetup.all)
        func connectionChurn(setup: BrokerSetup) throws {
            let broker = try setup.broker()
            let count = repetitions(1_000, long: 10_000)
            for n in 0..<count {
                let client = try broker.rawClient()
                if n % 2 == 0 { try client.connect() }
                if n % 3 == 0 { try client.send("SUB a.\(n) 1\r\n" + pub("a.\(n - 1)", "x")) }
                if n % 5 == 0 { client.reset() } else { client.close() }
            }
            #expect(eventually { broker.connections().isEmpty })
            for loop in broker.broker.shared.loops {
                #expect(loop.state.pointee.connections.liveCount == 0)
                #expect(loop.state.pointee.connections.endIndex < 200)
                #expect(loop.state.pointee.subscriptions.liveCount == 0)
            }
        }

        @Test("Stopping with many connections takes no time", arguments: BrokerSetup.all)
        func stop(setup: BrokerSetup) throws {
            let broker = try setup.broker()
            let clients = try broker.clients(300)
            let started = ContinuousClock.now
            broker.broker.stop()
            #expect(started.duration(to: .now) < .seconds(3))
            for client in clients { #expect(try client.next() == nil) }
        }
    }
}
