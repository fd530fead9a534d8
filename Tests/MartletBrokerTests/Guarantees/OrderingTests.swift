import MartletTestSupport
import Testing

extension Guarantees {
    @Suite(.serialized) struct Ordering {
        /// Messages of each publisher, over all loop counts; a long run takes 100,000 of each.
        static let messages = repetitions(20_000, long: 100_000)
        /// How often each barrier is tried.
        static let barriers = repetitions(1_000, long: 100_000)

        @Test(
            "Messages of one connection keep their order at each subscriber",
            arguments: BrokerSetup.all)
        func order(setup: BrokerSetup) throws {
            let loops = setup.loops
            let publisherCount = 4
            let count = Self.messages / publisherCount / BrokerSetup.loopCounts.count * 2
            let broker = try setup.broker()
            let subscribers = try broker.clients(4)
            let publishers = try broker.clients(publisherCount)
            #expect(broker.usedLoops.count == loops)
            for (i, subscriber) in subscribers.enumerated() {
                try subscriber.send("SUB \(["order.*", "order.>", ">", "order.*"][i]) 1\r\n")
                try subscriber.barrier()
            }
            try onThreads(publisherCount + subscribers.count) { i in
                if i < publisherCount {
                    try publish(count, by: i, on: publishers[i])
                } else {
                    try expectOrder(
                        of: count, from: publisherCount, at: subscribers[i - publisherCount])
                }
            }
        }

        private func publish(_ count: Int, by publisher: Int, on client: RawClient) throws {
            for first in stride(from: 0, to: count, by: 100) {
                var text = ""
                for n in first..<min(count, first + 100) {
                    text += pub("order.\(publisher)", "\(n)")
                }
                try client.send(text)
            }
            try client.barrier()
        }

        private func expectOrder(of count: Int, from publishers: Int, at client: RawClient) throws {
            var next = [Int](repeating: 0, count: publishers)
            for _ in 0..<(count * publishers) {
                let message = try client.message()
                let publisher = try #require(
                    message.subject.split(separator: ".").last.flatMap { Int($0) })
                try #require(Int(message.text) == next[publisher])
                next[publisher] += 1
            }
        }

        @Test(
            "Large and small messages of one connection keep their order",
            arguments: BrokerSetup.all)
        func orderOfSizes(setup: BrokerSetup) throws {
            let broker = try setup.broker()
            let subscribers = try broker.subscribers(2, "SUB size 1")
            let publishers = try broker.clients(2)
            let sizes = [3, 70_000, 100, 16_384, 16_383, 5, 200_000]
            try onThreads(4) { i in
                if i < 2 {
                    for n in 0..<70 {
                        try publishers[i].send(
                            pub(
                                "size",
                                "\(i) \(n) " + String(repeating: "x", count: sizes[n % sizes.count])
                            ))
                    }
                } else {
                    var next = [0, 0]
                    for _ in 0..<140 {
                        let words = try subscribers[i - 2].message().text.split(separator: " ")
                        let publisher = try #require(Int(words[0]))
                        try #require(Int(words[1]) == next[publisher])
                        try #require(words[2].count == sizes[next[publisher] % sizes.count])
                        next[publisher] += 1
                    }
                }
            }
        }

        @Test(
            "After the PONG that follows a SUB, a publish on any loop reaches it",
            arguments: BrokerSetup.all)
        func subscribeBarrier(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker()
            let subscribers = try broker.clients(loops)
            let publishers = try broker.clients(loops)
            #expect(broker.usedLoops.count == loops)
            let width = 50
            for round in 0..<(Self.barriers / width) {
                for (i, subscriber) in subscribers.enumerated() {
                    try subscriber.send(
                        (0..<width).map {
                            "SUB s.\(round).\(i).\($0 % 7 == 0 ? "*" : "\($0)") \($0)\r\n"
                        }
                        .joined() + "PING\r\n")
                }
                for subscriber in subscribers { _ = try subscriber.framesToPong() }
                // One publisher from each loop: to every subscription.
                for publisher in publishers {
                    var text = ""
                    for i in 0..<loops {
                        for n in 1..<width { text += pub("s.\(round).\(i).\(n)", "x") }
                    }
                    try publisher.send(text + "PING\r\n")
                }
                for publisher in publishers { _ = try publisher.framesToPong() }
                // Once a publisher has its PONG, a subscriber's later PING is answered after the message.
                let expected = (1..<width).reduce(0) { $0 + 8 + ($1 % 7 == 0 ? 0 : 1) } * loops
                for subscriber in subscribers {
                    let got = try subscriber.barrier().count
                    try #require(got == expected, "round \(round)")
                    try subscriber.send((0..<width).map { "UNSUB \($0)\r\n" }.joined())
                }
            }
        }

        @Test(
            "Once a publisher has its PONG, a subscriber's PING is answered after the message",
            arguments: BrokerSetup.all)
        func publishBarrier(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker()
            let publishers = try broker.clients(loops)
            let subscribers = try broker.subscribers(loops, "SUB b 1", "SUB b q 2")
            for round in 0..<Self.barriers {
                for publisher in publishers {
                    try publisher.send(pub("b", "\(round)") + "PING\r\n")
                }
                for publisher in publishers { _ = try publisher.framesToPong() }
                for subscriber in subscribers { try subscriber.send("PING\r\n") }
                var queued = 0
                for subscriber in subscribers {
                    let messages = try subscriber.framesToPong().compactMap(\.message)
                    try #require(messages.filter { $0.sid == "1" }.count == loops, "round \(round)")
                    queued += messages.count { $0.sid == "2" }
                }
                try #require(queued == loops, "round \(round)")
            }
        }

        @Test("Nothing comes after the PONG that follows an UNSUB", arguments: BrokerSetup.all)
        func unsubscribeBarrier(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker()
            let publishers = try broker.clients(loops)
            let subscribers = try broker.clients(loops)
            let rounds = Self.barriers
            try onThreads(loops * 2) { i in
                if i < loops {
                    for round in 0..<rounds {
                        try publishers[i].send(
                            String(repeating: pub("u.\(round % 4)", "x"), count: 20))
                        if round % 8 == 0 { try publishers[i].barrier() }
                    }
                } else {
                    let subscriber = subscribers[i - loops]
                    for round in 0..<(rounds / 4) {
                        try subscriber.send(
                            "SUB u.\(round % 4) 1\r\nSUB u.* 2\r\nPING\r\nUNSUB 1\r\nUNSUB 2\r\nPING\r\n"
                        )
                        _ = try subscriber.framesToPong()
                        _ = try subscriber.framesToPong()
                        try #require(try subscriber.barrier().isEmpty, "round \(round)")
                    }
                }
            }
        }

        @Test(
            "The maximum of an UNSUB is exact while publishers on all loops race",
            arguments: BrokerSetup.all)
        func maximum(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker()
            let publishers = try broker.clients(max(2, loops))
            let subscribers = try broker.clients(loops)
            for round in 0..<(Self.messages / 200) {
                for (i, subscriber) in subscribers.enumerated() {
                    // Half of them set their maximum while messages are already coming.
                    let early = i % 2 == 0 ? "UNSUB \(round) 7\r\n" : ""
                    try subscriber.send("SUB m \(round)\r\n\(early)PING\r\n")
                    _ = try subscriber.framesToPong()
                }
                for publisher in publishers {
                    try publisher.send(String(repeating: pub("m", "x"), count: 10) + "PING\r\n")
                }
                for (i, subscriber) in subscribers.enumerated() where i % 2 == 1 {
                    try subscriber.send("UNSUB \(round) 7\r\n")
                }
                for publisher in publishers { _ = try publisher.framesToPong() }
                for (i, subscriber) in subscribers.enumerated() {
                    let count = try subscriber.barrier().compactMap(\.message).count
                    if i % 2 == 0 {
                        try #require(count == 7, "round \(round)")
                    } else {
                        // The UNSUB came when up to all messages had been delivered.
                        try #require(count >= 7 && count <= publishers.count * 10, "round \(round)")
                    }
                }
            }
        }
    }
}
