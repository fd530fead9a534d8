import MartletRules
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("What of messages holds whatever rules and workers they meet", .serialized)
struct RuleStageOrderTests {
    @Test(
        "Messages of a connection keep their order, whichever rules are for them",
        arguments: RuleSetup.all)
    func order(setup: RuleSetup) throws {
        let rules = setup.rules([.checking("o.checked"), .checking("o.large")]) {
            $0.inlineBytesMax = 200
        }
        let broker = try setup.broker(rules) {
            // Tests read more slowly than the broker delivers, and what waits for two readers, rounded up to
            // blocks, is more than the memory that other tests have.
            $0.limits.memoryBytesMax = 1 << 30
            $0.slowConsumers.defaultPolicy = .block
            $0.slowConsumers.blockNanosecondsMax = 600_000_000_000
        }
        let subscribers = try broker.subscribers(2, "SUB o.* 1")
        let publishers = try broker.clients(3)
        let count = repetitions(600, long: 20_000)
        var random = SeededRandom(printedFor: "order of rules")
        let sizes = (0..<count).map { _ in [1, 150, 400, 3_000, 20_000][random.below(5)] }
        let subjects = (0..<count).map { _ in ["o.checked", "o.large", "o.free"][random.below(3)] }
        try onThreads(5) { i in
            if i < 3 {
                for n in 0..<count {
                    let text = String(repeating: "x", count: sizes[n])
                    try publishers[i].send(pub(subjects[n], "[\(i),\(n),\"\(text)\"]"))
                    if n % 50 == 0 { try publishers[i].barrier() }
                }
                try publishers[i].barrier()
            } else {
                var next = [0, 0, 0]
                for _ in 0..<(3 * count) {
                    let words = try subscribers[i - 3].message().text.dropFirst().split(
                        separator: ",")
                    let publisher = try #require(Int(words[0]))
                    try #require(Int(words[1]) == next[publisher])
                    next[publisher] += 1
                }
            }
        }
    }

    @Test("A PING waits for messages that are with a worker", arguments: RuleSetup.all)
    func barrier(setup: RuleSetup) throws {
        let broker = try setup.broker([.checking("b")])
        let (publisher, subscriber) = (try broker.client(), try broker.client())
        try subscriber.send("SUB b 1\r\n")
        try subscriber.barrier()
        for round in 0..<repetitions(300, long: 10_000) {
            let text = String(repeating: "x", count: round % 7 * 4_000)
            try publisher.send(pub("b", "[\(round),\"\(text)\"]") + "PING\r\n")
            _ = try publisher.framesToPong()
            try #require(try subscriber.barrier().compactMap(\.message).count == 1, "\(round)")
        }
    }

    @Test("What was published before a close is delivered", arguments: RuleSetup.all)
    func close(setup: RuleSetup) throws {
        let broker = try setup.broker([.checking("gone")])
        let subscriber = try broker.subscriber("SUB gone 1")
        var expected = 0
        for round in 0..<60 {
            let client = try broker.rawClient()
            let count = round % 10 + 1
            let payload = "[\"\(String(repeating: "x", count: round * 50))\"]"
            try client.send(
                "CONNECT {\"verbose\":false}\r\n"
                    + String(repeating: pub("gone", payload), count: count))
            #expect(eventually { client.hasSentAll })
            client.close()
            expected += count
        }
        for n in 0..<expected {
            let message = try? subscriber.message()
            try #require(message != nil, "\(n) of \(expected)")
        }
    }

    @Test("Full rings make publishers wait, and lose nothing", arguments: RuleSetup.all)
    func fullRings(setup: RuleSetup) throws {
        let broker = try setup.broker(setup.rules([.checking("f")]) { $0.queueJobsMax = 2 })
        let subscriber = try broker.subscriber("SUB f 1")
        let publishers = try broker.clients(8)
        let payload = "[\"\(String(repeating: "x", count: 5_000))\"]"
        try onThreads(9) { i in
            if i < 8 {
                for _ in 0..<50 { try publishers[i].send(pub("f", payload)) }
                try publishers[i].barrier()
            } else {
                for _ in 0..<400 { _ = try subscriber.message() }
            }
        }
        #expect(try subscriber.barrier().isEmpty)
    }

    @Test("Payloads that become whole at once wait for room in the ring", arguments: RuleSetup.all)
    func partsAtOnce(setup: RuleSetup) throws {
        let broker = try setup.broker(setup.rules([.checking("large")]) { $0.queueJobsMax = 1 })
        let subscriber = try broker.subscriber("SUB large 1", "SUB after 2")
        let publishers = try broker.clients(24)
        let message = Array(pub("large", "[\"\(String(repeating: "x", count: 200_000))\"]").utf8)
        for _ in 0..<5 {
            for publisher in publishers { try publisher.send(Array(message.dropLast(100))) }
            for publisher in publishers {
                try publisher.send(Array(message.suffix(100)) + Array(pub("after", "x").utf8))
            }
            for publisher in publishers { try publisher.barrier() }
            let subjects = try subscriber.barrier().compactMap(\.message?.subject)
            #expect(subjects.count { $0 == "large" } == publishers.count)
            #expect(subjects.count { $0 == "after" } == publishers.count)
        }
    }

    @Test("A broker stops while messages are with its workers", arguments: RuleSetup.all)
    func stop(setup: RuleSetup) throws {
        for _ in 0..<10 {
            let broker = try setup.broker([.checking(">")])
            let client = try broker.client()
            let payload = "[\"\(String(repeating: "x", count: 30_000))\"]"
            try client.send(String(repeating: pub("x", payload), count: 20))
            broker.broker.stop()
            #expect(!broker.broker.isRunning)
        }
    }
}
