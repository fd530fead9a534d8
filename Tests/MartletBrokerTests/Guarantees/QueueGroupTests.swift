import MartletBroker
import MartletTestSupport
import Synchronization
import Testing

extension Guarantees {
    @Suite(.serialized) struct QueueGroups {
        static let messages = repetitions(12_000, long: 100_000)

        @Test(
            "Each message reaches one member of the group, all of them alike", arguments: loopCounts
        )
        func uniform(loops: Int) throws {
            let broker = try TestBroker(loops: loops)
            let members = try broker.clients(8)
            let publishers = try broker.clients(loops)
            for member in members {
                try member.send("SUB q.* g 1\r\n")
                try member.barrier()
            }
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
            arguments: loopCounts)
        func churn(loops: Int) throws {
            let broker = try TestBroker(loops: loops)
            let steady = try broker.clients(loops)
            let restless = try broker.clients(loops)
            let publishers = try broker.clients(loops)
            for member in steady {
                try member.send("SUB q g 1\r\n")
                try member.barrier()
            }
            let each = Self.messages / loops / 20 * 20
            let seen = Guarded<[String: Int]>([:])
            let isDone = Atomic<Bool>(false)
            let ended = Atomic<Int>(0)
            @Sendable func note(_ frames: [Frame]) {
                seen.withLock { seen in
                    for case .message(let message) in frames { seen[message.text, default: 0] += 1 }
                }
            }
            try onThreads(loops * 2) { i in
                if i < loops {
                    for n in stride(from: 0, to: each, by: 20) {
                        try publishers[i].send(
                            (n..<(n + 20)).map { pub("q", "\(i)-\($0)") }.joined())
                        try publishers[i].barrier()
                    }
                    if ended.wrappingAdd(1, ordering: .relaxed).newValue == loops {
                        isDone.store(true, ordering: .relaxed)
                    }
                } else {
                    let member = restless[i - loops]
                    while !isDone.load(ordering: .relaxed) {
                        try member.send(
                            "SUB q g 1\r\nSUB q g 2\r\nPING\r\nUNSUB 2\r\nUNSUB 1\r\nPING\r\n")
                        note(try member.framesToPong())
                        note(try member.framesToPong())
                    }
                }
            }
            for publisher in publishers { try publisher.barrier() }
            for member in steady + restless { note(try member.barrier()) }
            // What was passed on from one loop to another may need a second look.
            for member in steady + restless { note(try member.barrier()) }
            let counts = seen.withLock { $0 }
            #expect(counts.count == each * loops)
            #expect(counts.values.allSatisfy { $0 == 1 })
        }

        @Test(
            "A request to a group whose last member has just left is answered or gets 503",
            arguments: loopCounts)
        func lastMember(loops: Int) throws {
            let broker = try TestBroker(loops: loops)
            let members = try broker.clients(loops)
            let requesters = try broker.clients(loops)
            let isDone = Atomic<Bool>(false)
            let ended = Atomic<Int>(0)
            let rounds = Self.messages / 12
            try onThreads(loops * 2) { i in
                if i < loops {
                    defer {
                        if ended.wrappingAdd(1, ordering: .relaxed).newValue == loops {
                            isDone.store(true, ordering: .relaxed)
                        }
                    }
                    let requester = requesters[i]
                    try requester.send("SUB inbox.\(i).* 1\r\n")
                    for round in 0..<rounds {
                        try requester.send(pub("service", "x", reply: "inbox.\(i).\(round)"))
                        let answer = try requester.message()
                        try #require(answer.subject == "inbox.\(i).\(round)")
                    }
                } else {
                    let member = members[i - loops]
                    while !isDone.load(ordering: .relaxed) {
                        try member.send("SUB service g 1\r\nPING\r\n")
                        try answer(try member.framesToPong(), member)
                        try member.send("UNSUB 1\r\nPING\r\n")
                        try answer(try member.framesToPong(), member)
                    }
                }
            }
        }

        private func answer(_ frames: [Frame], _ member: RawClient) throws {
            let replies = frames.compactMap(\.message?.reply)
            if !replies.isEmpty { try member.send(replies.map { pub($0, "yes") }.joined()) }
        }

        @Test("A request that nobody takes gets 503, on every loop", arguments: loopCounts)
        func noResponders(loops: Int) throws {
            let broker = try TestBroker(loops: loops)
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
            arguments: loopCounts)
        func plainSubscriberHasIt(loops: Int) throws {
            let broker = try TestBroker(loops: loops)
            let requester = try broker.client()
            let plain = try broker.client()
            let members = try broker.clients(loops)
            try requester.send("SUB inbox 1\r\nSUB service 2\r\n")
            try plain.send("SUB service 1\r\n")
            try plain.barrier()
            let isDone = Atomic<Bool>(false)
            try onThreads(loops + 1) { i in
                guard i == loops else {
                    while !isDone.load(ordering: .relaxed) {
                        try members[i].send("SUB service g 1\r\nUNSUB 1\r\n")
                        try members[i].barrier()
                    }
                    return
                }
                defer { isDone.store(true, ordering: .relaxed) }
                for _ in 0..<(Self.messages / 10) {
                    try requester.send(pub("service", "x", reply: "inbox"))
                    let frames = try requester.barrier()
                    try #require(frames.count == 1 && frames[0].message?.sid == "2")
                }
                #expect(try requester.barrier().isEmpty)
            }
            #expect(try plain.barrier().count == Self.messages / 10)
        }
    }
}
