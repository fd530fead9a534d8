import MartletBroker
import MartletTestSupport
import Testing

extension Guarantees {
    @Suite(.serialized) struct QueueGroups {
        static let messages = repetitions(12_000, long: 100_000)

        @Test(
            "Each message reaches one member of the group, all of them alike",
            arguments: BrokerSetup.all
        )
        func uniform(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker()
            let members = try broker.subscribers(8, "SUB q.* g 1")
            let publishers = try broker.clients(loops)
            let each = Self.messages / loops
            try onThreads(loops) { i in
                for _ in 0..<(each / 50) {
                    try publishers[i].send(String(repeating: pub("q.\(i)", "x"), count: 50))
                }
                try publishers[i].barrier()
            }
            let counts = try members.map { try $0.barrier().count }
            let total = each / 50 * 50 * loops
            #expect(counts.reduce(0, +) == total)
            let fair = Double(total) / 8
            for count in counts { #expect(abs(Double(count) - fair) < 6 * fair.squareRoot()) }
        }

        @Test(
            "Each message reaches one member while members come and go on all loops",
            arguments: BrokerSetup.all)
        func churn(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker()
            let steady = try broker.subscribers(loops, "SUB q g 1")
            let restless = try broker.clients(loops)
            let publishers = try broker.clients(loops)
            let each = Self.messages / loops / 20 * 20
            let seen = Guarded<[String: Int]>([:])
            @Sendable func record(_ frames: [Frame]) {
                seen.withLock { seen in
                    for case .message(let message) in frames { seen[message.text, default: 0] += 1 }
                }
            }
            try onThreads(
                loops,
                { i in
                    for n in stride(from: 0, to: each, by: 20) {
                        try publishers[i].send(
                            (n..<(n + 20)).map { pub("q", "\(i)-\($0)") }.joined())
                        try publishers[i].barrier()
                    }
                },
                meanwhile: loops,
                { i in
                    try restless[i].send(
                        "SUB q g 1\r\nSUB q g 2\r\nPING\r\nUNSUB 2\r\nUNSUB 1\r\nPING\r\n")
                    for _ in 0..<2 { record(try restless[i].framesToPong()) }
                })
            for publisher in publishers { try publisher.barrier() }
            for member in steady + restless { record(try member.barrier()) }
            // What was passed on from one loop to another may need a second look.
            for member in steady + restless { record(try member.barrier()) }
            let counts = seen.withLock { $0 }
            #expect(counts.count == each * loops)
            #expect(counts.values.allSatisfy { $0 == 1 })
        }

        @Test(
            "A request to a group whose last member has just left is answered or gets 503",
            arguments: BrokerSetup.all)
        func lastMember(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker()
            let members = try broker.clients(loops)
            let requesters = try broker.clients(loops)
            try onThreads(
                loops,
                { i in
                    let requester = requesters[i]
                    try requester.send("SUB inbox.\(i).* 1\r\n")
                    for round in 0..<(Self.messages / 12) {
                        try requester.send(pub("service", "x", reply: "inbox.\(i).\(round)"))
                        let answer = try requester.message()
                        try #require(answer.subject == "inbox.\(i).\(round)")
                        try #require(answer.isNoResponders || answer.text == "yes")
                    }
                },
                meanwhile: loops, { try Self.comeAndGo(members[$0]) })
        }

        @Test(
            "A member without room is passed over while another has some",
            arguments: BrokerSetup.all,
            [.dropNew, .dropOld, .block] as [BrokerConfiguration.SlowConsumerPolicy])
        func passesOver(
            setup: BrokerSetup, policy: BrokerConfiguration.SlowConsumerPolicy
        ) throws {
            let broker = try setup.broker {
                $0.slowConsumers.rules = [
                    BrokerConfiguration.SlowConsumerRule(
                        subject: "work", policy: policy, pendingBytesMax: 100_000)
                ]
            }
            let stuck = try StuckSubscriber(broker, ["work g"])
            let other = try broker.subscriber("SUB work g 1")
            let publisher = try broker.client()
            let total = 1_000
            var seen: [String] = []
            for n in stride(from: 0, to: total, by: 20) {
                try publisher.send(
                    (n..<(n + 20)).map {
                        pub("work", "\($0) \(String(repeating: "x", count: 1_000))")
                    }
                    .joined())
                try publisher.barrier()
                seen += try other.barrier().compactMap(\.message?.text)
            }
            // What was passed on from one loop to another may need a second look.
            seen += try other.barrier().compactMap(\.message?.text)
            let counts = broker.broker.snapshot()
            #expect(counts.droppedMessages == 0)
            #expect(counts.pausedPublishers == 0)
            #expect(seen.count < total)
            seen += try stuck.client.barrier().compactMap(\.message)
                .filter { $0.subject == "work" }.map(\.text)
            let numbers = seen.map { Int($0.prefix { $0 != " " })! }.sorted()
            #expect(numbers == Array(0..<total))
        }

        @Test(
            "Where no member has room, the policy decides", arguments: BrokerSetup.all)
        func nobodyHasRoom(setup: BrokerSetup) throws {
            let broker = try setup.broker {
                $0.slowConsumers.rules = [
                    BrokerConfiguration.SlowConsumerRule(
                        subject: "work", policy: .dropNew, pendingBytesMax: 100_000)
                ]
            }
            let stuck = try StuckSubscriber(broker, ["work g", "work g", "work g"]).client
            let publisher = try broker.client()
            let total = 1_000
            for _ in 0..<(total / 20) {
                try publisher.send(String(repeating: pub("work", bytes: 1_000), count: 20))
                try publisher.barrier()
            }
            #expect(eventually { broker.broker.snapshot().droppedMessages > 800 })
            let delivered = try stuck.barrier().count { $0.message?.subject == "work" }
            #expect(delivered > 50)
            #expect(broker.broker.snapshot().droppedMessages + delivered == total)
            // With room again, members are chosen again.
            try publisher.send(String(repeating: pub("work", bytes: 1_000), count: 20))
            try publisher.barrier()
            #expect(try stuck.barrier().count { $0.message?.subject == "work" } == 20)
        }

        /// Joins the group "g" of "service", answers, leaves, and answers what has come meanwhile.
        static func comeAndGo(_ member: RawClient) throws {
            for line in ["SUB service g 1\r\n", "UNSUB 1\r\n"] {
                try member.send(line + "PING\r\n")
                let replies = try member.framesToPong().compactMap(\.message?.reply)
                try member.send(replies.map { pub($0, "yes") }.joined())
            }
        }

        @Test("A request that nobody takes gets 503, on every loop", arguments: BrokerSetup.all)
        func noResponders(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker()
            let requesters = try broker.clients(loops * 2)
            #expect(broker.usedLoops.count == loops)
            for (i, requester) in requesters.enumerated() {
                try requester.send("SUB inbox.\(i).* 1\r\nUNSUB 1 100000\r\n")
                for n in 0..<200 {
                    try requester.send(pub("nobody.\(n)", "x", reply: "inbox.\(i).\(n)"))
                    let answer = try requester.message()
                    try #require(answer.isNoResponders && answer.subject == "inbox.\(i).\(n)")
                }
            }
        }

        @Test(
            "No 503 for a request that a plain subscriber has, when a group is empty",
            arguments: BrokerSetup.all)
        func plainSubscriberHasIt(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try setup.broker()
            let requester = try broker.client()
            let plain = try broker.client()
            let members = try broker.clients(loops)
            try requester.send("SUB inbox 1\r\nSUB service 2\r\n")
            try plain.send("SUB service 1\r\n")
            try plain.barrier()
            try onThreads(
                1,
                { _ in
                    for _ in 0..<(Self.messages / 10) {
                        try requester.send(pub("service", "x", reply: "inbox"))
                        let frames = try requester.barrier()
                        try #require(frames.count == 1 && frames[0].message?.sid == "2")
                    }
                    #expect(try requester.barrier().isEmpty)
                },
                meanwhile: loops,
                { i in
                    try members[i].send("SUB service g 1\r\nUNSUB 1\r\n")
                    try members[i].barrier()
                })
            #expect(try plain.barrier().count == Self.messages / 10)
        }
    }
}
