import Foundation
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

/// A subscriber that does not read, whose socket is full.
struct StuckSubscriber {
    let client: RawClient
    let filled: Int

    /// Subscribes to `subjects` with sids from 1 on and to "fill"; then fills what the kernel holds for it.
    init(
        _ broker: TestBroker, _ subjects: [String], options: ClientOptions = ClientOptions()
    ) throws {
        var options = options
        options.pendingBytes = 8 << 10
        client = try broker.client(options)
        let filler = try broker.client()
        for (i, subject) in subjects.enumerated() { try client.send("SUB \(subject) \(i + 1)\r\n") }
        try client.send("SUB fill 0\r\nPING\r\n")
        _ = try client.framesToPong()
        let one = pub("fill", String(repeating: "f", count: 16_000))
        var count = 0
        repeat {
            try filler.send(one)
            try filler.barrier()
            count += 1
            // Twice, because a message from another loop is pending until the end of the turn.
        } while (broker.connections() + broker.connections()).count { $0.pendingBytes > 0 } < 2
            && count < 2_000
        filled = count
    }
}

extension Guarantees {
    @Suite(.serialized) struct SlowConsumers {
        @Test(
            "One that is stuck delays nobody, and is closed over max_pending",
            arguments: BrokerSetup.all
        )
        func close(setup: BrokerSetup) throws {
            let broker = try setup.broker { $0.limits.pendingBytesMax = 1 << 20 }
            let healthy = try broker.subscribers(99, "SUB fan 1")
            let stuck = try StuckSubscriber(broker, ["fan"])
            let publisher = try broker.client()
            let payload = String(repeating: "x", count: 1_000)
            func publish(_ numbers: Range<Int>) throws {
                try publisher.send(numbers.map { pub("fan", "\($0) \(payload)") }.joined())
                try publisher.barrier()
                try onThreads(3) { t in
                    for i in stride(from: t, to: healthy.count, by: 3) {
                        for n in numbers {
                            try #require(try healthy[i].message().text.hasPrefix("\(n) "))
                        }
                    }
                }
            }
            // All of it arrives while the stuck one is still there.
            try publish(0..<200)
            #expect(broker.broker.snapshot().slowConsumersByBytes == 0)
            #expect(broker.connections().contains { $0.pendingBytes > 200_000 })
            try publish(200..<1_100)
            #expect(broker.broker.snapshot().slowConsumersByBytes == 1)
            #expect(stuck.client.isClosed(within: 5))
            #expect(eventually { broker.connections().count == 100 })
            #expect(broker.broker.snapshot().pausedPublishers == 0)
            #expect(broker.connections().allSatisfy { $0.stalls == 0 })
            try publish(1_100..<1_110)
            let reasons = broker.broker.shared.closedConnections.map(\.closeReason)
            #expect(reasons.contains("Slow Consumer (Pending Bytes)"))
        }

        @Test(
            "drop_new drops what comes while it is over its limit", arguments: BrokerSetup.all,
            [100, 20_000])
        func dropNew(setup: BrokerSetup, size: Int) throws {
            let broker = try setup.broker {
                $0.slowConsumers.rules = [rule("new", .dropNew, 300_000)]
            }
            let outcome = try overflow(broker, "new", size: size, bytes: 2_000_000)
            #expect(outcome.numbers == Array(0..<outcome.numbers.count))
            #expect(outcome.dropped == outcome.published - outcome.numbers.count)
            #expect(outcome.dropped > 0)
        }

        @Test(
            "drop_old drops the oldest, and the newest arrive", arguments: BrokerSetup.all,
            [100, 20_000, 100_000])
        func dropOld(setup: BrokerSetup, size: Int) throws {
            let broker = try setup.broker {
                $0.slowConsumers.rules = [rule("old", .dropOld, 300_000)]
            }
            let outcome = try overflow(broker, "old", size: size, bytes: 2_000_000)
            #expect(outcome.numbers == outcome.numbers.sorted())
            #expect(Set(outcome.numbers).count == outcome.numbers.count)
            #expect(outcome.numbers.last == outcome.published - 1)
            #expect(
                outcome.dropped == outcome.published + outcome.fillers - outcome.numbers.count
                    - outcome.filled)
            #expect(outcome.dropped > 0)
        }

        @Test(
            "drop_old keeps the stream well-formed while the client reads in bits",
            arguments: BrokerSetup.all)
        func dropOldWhileReading(setup: BrokerSetup) throws {
            let broker = try setup.broker {
                $0.slowConsumers.rules = [rule(">", .dropOld, 200_000)]
            }
            let slow = try broker.subscriber(
                "SUB o 1", options: ClientOptions(pendingBytes: 8 << 10))
            let publisher = try broker.client()
            let count = 3_000
            let isDone = Atomic<Bool>(false)
            var random = SeededRandom(printedFor: "drop_old in bits")
            let sizes = (0..<count).map { _ in [10, 1_000, 20_000, 60_000][random.below(4)] }
            try onThreads(2) { i in
                if i == 0 {
                    defer { isDone.store(true, ordering: .relaxed) }
                    for n in 0..<count {
                        try publisher.send(
                            pub("o", "\(n) " + String(repeating: "x", count: sizes[n])))
                    }
                    try publisher.barrier()
                } else {
                    var last = -1
                    var pongs = 0
                    var pings = 0
                    while !isDone.load(ordering: .relaxed) || pongs < pings || last < count - 1 {
                        if pings < 2_000 {
                            try slow.send("PING\r\n")
                            pings += 1
                        }
                        switch try #require(try slow.next()) {
                        case .message(let message):
                            let words = message.text.split(separator: " ")
                            let number = try #require(Int(words[0]))
                            try #require(number > last)
                            try #require(words[1].utf8.count == sizes[number])
                            last = number
                        case .pong: pongs += 1
                        case let other: Issue.record("\(other)")
                        }
                        if last % 16 == 0 { Thread.sleep(forTimeInterval: 0.001) }
                    }
                    #expect(pongs == pings)
                    #expect(last == count - 1)
                }
            }
        }

        @Test(
            "block pauses the publisher, and nothing is lost", arguments: BrokerSetup.all,
            [1_000, 50_000])
        func block(setup: BrokerSetup, size: Int) throws {
            let broker = try setup.broker {
                $0.slowConsumers.rules = [rule("block", .block, 500_000)]
                $0.slowConsumers.blockNanosecondsMax = 10_000_000_000
            }
            let subscribers = try (0..<2).map { _ in
                try broker.client(ClientOptions(pendingBytes: 16 << 10))
            }
            for subscriber in subscribers {
                try subscriber.send("SUB block 1\r\n")
                try subscriber.barrier()
            }
            let publishers = try broker.clients(2)
            let count = 12_000_000 / size
            let payload = String(repeating: "x", count: size)
            try onThreads(4) { i in
                if i < 2 {
                    for n in 0..<count {
                        try publishers[i].send(pub("block", "\(i) \(n) \(payload)"))
                    }
                } else {
                    // Long enough that the publishers fill everything and stand still.
                    Thread.sleep(forTimeInterval: 0.7)
                    var next = [0, 0]
                    for _ in 0..<(2 * count) {
                        let words = try subscribers[i - 2].message().text.split(separator: " ")
                        let publisher = try #require(Int(words[0]))
                        try #require(Int(words[1]) == next[publisher])
                        next[publisher] += 1
                    }
                }
            }
            #expect(broker.broker.snapshot().pausedPublishers > 0)
            #expect(broker.broker.snapshot().slowConsumersByBytes == 0)
            for publisher in publishers { try publisher.barrier() }
        }

        @Test(
            "A subscriber that blocks for longer than block_max is closed",
            arguments: BrokerSetup.all)
        func blockedForLong(setup: BrokerSetup) throws {
            let broker = try setup.broker {
                $0.slowConsumers.defaultPolicy = .block
                $0.slowConsumers.blockNanosecondsMax = 300_000_000
                $0.limits.pendingBytesMax = 100_000
                $0.limits.payloadBytesMax = 100_000
            }
            let stuck = try broker.subscriber(
                "SUB b 1", options: ClientOptions(pendingBytes: 8 << 10))
            let publisher = try broker.client()
            let bystander = try broker.client()
            let started = ContinuousClock.now
            try onThreads(2) { i in
                if i == 0 {
                    for _ in 0..<2_000 {
                        try publisher.send(pub("b", String(repeating: "x", count: 8_000)))
                    }
                    try publisher.barrier()
                } else {
                    for _ in 0..<20 {
                        try bystander.barrier()
                        Thread.sleep(forTimeInterval: 0.01)
                    }
                }
            }
            #expect(started.duration(to: .now) < .seconds(5))
            #expect(broker.broker.snapshot().slowConsumersByBytes == 1)
            #expect(stuck.isClosed(within: 5))
        }

        @Test("Two clients that block one another get free again", arguments: BrokerSetup.all)
        func cycle(setup: BrokerSetup) throws {
            let broker = try setup.broker {
                $0.slowConsumers.defaultPolicy = .block
                $0.slowConsumers.blockNanosecondsMax = 300_000_000
                $0.limits.pendingBytesMax = 100_000
                $0.limits.payloadBytesMax = 100_000
            }
            let pair = try (0..<2).map { _ in
                try broker.client(ClientOptions(pendingBytes: 8 << 10))
            }
            for (i, client) in pair.enumerated() {
                try client.send("SUB to.\(i) 1\r\n")
                try client.barrier()
                client.timeoutSeconds = 5
            }
            try onThreads(2) { i in
                let text = pub("to.\(1 - i)", String(repeating: "x", count: 8_000))
                // The broker closes at least one of them; neither may hang.
                for _ in 0..<2_000 {
                    do { try pair[i].send(text) } catch ClientFailure.send { break }
                }
            }
            #expect(broker.broker.snapshot().slowConsumersByBytes >= 1)
            try broker.client().barrier()
        }

        @Test("A reader of a byte a second is closed at write_deadline", arguments: BrokerSetup.all)
        func writeDeadline(setup: BrokerSetup) throws {
            let broker = try setup.broker {
                $0.limits.writeDeadlineNanoseconds = 1_000_000_000
            }
            let stuck = try StuckSubscriber(broker, [])
            let steady = try StuckSubscriber(broker, ["steady"])
            let publisher = try broker.client()
            let one = pub("steady", String(repeating: "x", count: 16_000))
            for _ in 0..<125 { try publisher.send(one) }
            let started = ContinuousClock.now
            try onThreads(2) { i in
                if i == 0 {
                    // Reads all the time, and is never done: as much comes as it reads.
                    while started.duration(to: .now) < .seconds(2.5) {
                        for _ in 0..<4 { _ = try steady.client.message() }
                        for _ in 0..<4 { try publisher.send(one) }
                    }
                } else {
                    while broker.broker.snapshot().slowConsumersByDeadline == 0 {
                        try #require(started.duration(to: .now) < .seconds(3))
                        stuck.client.discard(1)
                        Thread.sleep(forTimeInterval: 0.05)
                    }
                }
            }
            #expect(broker.broker.snapshot().slowConsumersByDeadline == 1)
            #expect(stuck.client.isClosed(within: 5))
            #expect(
                eventually {
                    broker.broker.shared.closedConnections.contains {
                        $0.closeReason == "Slow Consumer (Write Deadline)"
                    }
                })
            #expect(broker.connections().contains { $0.bytesOut > 10_000_000 })
            try steady.client.barrier()
        }

        // MARK: Overflowing one subscriber

        private struct Outcome {
            var published = 0
            var fillers = 0
            var filled = 0
            var numbers: [Int] = []
            var dropped = 0
        }

        private func rule(
            _ subject: String, _ policy: BrokerConfiguration.SlowConsumerPolicy, _ pending: Int
        ) -> BrokerConfiguration.SlowConsumerRule {
            BrokerConfiguration.SlowConsumerRule(
                subject: subject, policy: policy, pendingBytesMax: pending)
        }

        /// Publishes `bytes` to a verbose subscriber that does not read; then it reads, and has every
        /// PONG, +OK and -ERR that it is owed.
        private func overflow(
            _ broker: TestBroker, _ subject: String, size: Int, bytes: Int
        ) throws -> Outcome {
            var outcome = Outcome()
            let stuck = try StuckSubscriber(
                broker, [subject], options: ClientOptions(verbose: true))
            outcome.fillers = stuck.filled
            let publisher = try broker.client()
            let payload = String(repeating: "x", count: size)
            outcome.published = bytes / size
            for n in 0..<outcome.published {
                try publisher.send(pub(subject, "\(n) \(payload)"))
                if n % 5 == 0 { try stuck.client.send("PING\r\nSUB a..b 9\r\nUNSUB 77\r\n") }
                if n % 50 == 0 { try publisher.barrier() }
            }
            try publisher.barrier()
            try stuck.client.send("PUB last 0\r\n\r\nPING\r\n")
            let pongs = (outcome.published + 4) / 5
            // The broker has read what the stuck client sent.
            #expect(eventually { broker.connections().contains { $0.messagesIn == 1 } })
            outcome.dropped = broker.broker.snapshot().droppedMessages
            #expect(broker.broker.snapshot().slowConsumersByBytes == 0)
            let own = try #require(
                broker.connections(subscriptions: true).first { $0.droppedMessages > 0 })
            #expect(own.droppedMessages == outcome.dropped)
            #expect(own.subscriptions.reduce(0) { $0 + $1.droppedMessages } == outcome.dropped)
            #expect(broker.connections().count { $0.droppedMessages > 0 } == 1)
            // What is dropped was not sent, whenever that was decided.
            let sent = outcome.published + outcome.fillers - outcome.dropped
            #expect(own.messagesOut == sent)
            #expect(broker.broker.snapshot().messagesOut == sent)
            var seen = (pong: 0, ok: 0, error: 0)
            while seen.pong <= pongs {
                switch try #require(try stuck.client.next()) {
                case .message(let message):
                    guard message.subject == subject else {
                        outcome.filled += 1
                        continue
                    }
                    let words = message.text.split(separator: " ")
                    try #require(words[1].utf8.count == size)
                    outcome.numbers.append(try #require(Int(words[0])))
                case .pong: seen.pong += 1
                case .ok: seen.ok += 1
                case .error(let text):
                    #expect(text == "'Invalid Subject'")
                    seen.error += 1
                case let other: Issue.record("\(other)")
                }
            }
            #expect(seen.error == pongs)
            #expect(seen.ok == pongs + 1)
            try expectNothingDroppedOfTheNext(stuck.client, subject, broker)
            // Having read, it is served again.
            try publisher.send(pub(subject, "\(outcome.published) y"))
            #expect(try stuck.client.message().text == "\(outcome.published) y")
            return outcome
        }

        /// The next tenant of a subscription's slot starts anew.
        private func expectNothingDroppedOfTheNext(
            _ client: RawClient, _ subject: String, _ broker: TestBroker
        ) throws {
            try client.send("UNSUB 1\r\nSUB \(subject) 1\r\n")
            try client.barrier()
            let all = broker.connections(subscriptions: true).flatMap(\.subscriptions)
            #expect(all.first { $0.subject == subject }?.droppedMessages == 0)
        }
    }
}
