import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

@Suite("Clients in the same process under load", .serialized, .timeLimit(.minutes(2)))
struct InProcessLoadTests {
    @Test(
        "payloads larger than the pipe come whole, in order, with small ones behind them",
        arguments: [1, 2, 4], [4_096, 1 << 20])
    func largePayloads(loops: Int, pipeBytes: Int) async throws {
        let settings = changing {
            $0.limits.payloadBytesMax = 8 << 20
            $0.limits.writeDeadlineNanoseconds = 100_000_000_000
        }
        try await withBroker(loops: loops, settings) { broker in
            let publisher = try await broker.connect(
                name: "p", credentials: nil, echo: true, pipeBytes: pipeBytes, loop: 0)
            let subscriber = try await broker.connect(
                name: "s", credentials: nil, echo: true, pipeBytes: pipeBytes, loop: loops - 1)
            let subscription = try await subscriber.subscribe("big")
            let sizes = [
                1_300_000, 1, 20_000, (1 << 20) + 5, 0, 65_536, 65_535, 100_000, 16_384, 16_383,
            ]
            for (i, size) in sizes.enumerated() {
                try await publisher.publish(pattern(size, seed: i), to: "big")
            }
            // The last one is alone behind a large one: nothing else may have to push it through.
            let messages = try await subscription.take(sizes.count)
            #expect(messages.map(\.payload.count) == sizes)
            for (i, message) in messages.enumerated() {
                #expect(message.payload == pattern(sizes[i], seed: i))
            }
        }
    }

    @Test(
        "many tasks that publish at once through a small pipe keep their frames apart",
        arguments: [1, 2, 4])
    func manyWriters(loops: Int) async throws {
        try await withBroker(loops: loops) { broker in
            let publisher = try await broker.connect(
                name: "p", credentials: nil, echo: true, pipeBytes: 512, loop: 0)
            let subscriber = try await broker.connect(
                name: "s", credentials: nil, echo: true, pipeBytes: 700, loop: loops - 1)
            let subscription = try await subscriber.subscribe("w.*")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<20 {
                    group.addTask {
                        for i in 0..<40 {
                            try await publisher.publish(
                                pattern(i * 37 % 3_000, seed: writer), to: "w.\(writer)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            var next = [Int](repeating: 0, count: 20)
            for message in try await subscription.take(800) {
                let writer = Int(message.subject.dropFirst(2))!
                #expect(message.payload == pattern(next[writer] * 37 % 3_000, seed: writer))
                next[writer] += 1
            }
            #expect(next.allSatisfy { $0 == 40 })
        }
    }

    @Test("many clients on several loops all hear everyone", arguments: [1, 2, 4])
    func manyClients(loops: Int) async throws {
        try await withBroker(loops: loops) { broker in
            var clients: [InProcessClient] = []
            var subscriptions: [InProcessSubscription] = []
            for i in 0..<20 {
                let client = try await broker.connect(
                    name: "\(i)", credentials: nil, echo: true, pipeBytes: 1 << 14, loop: i % loops)
                clients.append(client)
                subscriptions.append(try await client.subscribe("all"))
            }
            #expect(broker.snapshot().connections == 20)
            try await withThrowingTaskGroup(of: Void.self) { [clients, subscriptions] group in
                for client in clients {
                    group.addTask {
                        for i in 0..<25 {
                            try await client.publish(pattern(i * 40, seed: i), to: "all")
                        }
                    }
                }
                for subscription in subscriptions {
                    group.addTask {
                        let messages = try await subscription.take(500)
                        #expect(messages.count == 500)
                        #expect(
                            messages.allSatisfy {
                                $0.payload == pattern($0.payload.count, seed: $0.payload.count / 40)
                            })
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a subscriber that waits for room loses nothing, however slow", arguments: [1, 2])
    func waitingSubscriber(loops: Int) async throws {
        try await withBroker(loops: loops) { broker in
            let publisher = try await broker.connect(
                name: "p", credentials: nil, echo: true, pipeBytes: 1 << 14, loop: 0)
            let subscriber = try await broker.connect(
                name: "s", credentials: nil, echo: true, pipeBytes: 2_000, loop: loops - 1)
            let subscription = try await subscriber.subscribe(
                "slow", limits: .init(messagesMax: 3, overflow: .wait))
            for i in 0..<2_000 { try await publisher.publish("\(i)", to: "slow") }
            try await publisher.flush()
            #expect(try await subscription.take(2_000).map(\.text) == (0..<2_000).map { "\($0)" })
            #expect(subscription.droppedMessages == 0)
        }
    }

    @Test("over its limits a subscription drops the newest or the oldest, as told, and counts them")
    func dropping() async throws {
        try await withBroker { broker in
            let client = try await broker.connect()
            let new = try await client.subscribe(
                "d", limits: .init(messagesMax: 10, overflow: .dropNew))
            let old = try await client.subscribe(
                "d", limits: .init(messagesMax: 10, overflow: .dropOld))
            let bytes = try await client.subscribe(
                "d", limits: .init(bytesMax: 7, overflow: .dropOld))
            for i in 0..<100 { try await client.publish("\(i)", to: "d") }
            try await client.flush()
            client.close()
            #expect(try await new.rest().map(\.text) == (0..<10).map { "\($0)" })
            #expect(try await old.rest().map(\.text) == (90..<100).map { "\($0)" })
            #expect(try await bytes.rest().map(\.text) == ["97", "98", "99"])
            #expect(
                [new.droppedMessages, old.droppedMessages, bytes.droppedMessages] == [90, 90, 97])
        }
    }

    @Test("a client that does not read is closed as a slow consumer, and others are not held up")
    func slowConsumer() async throws {
        try await withBroker(loops: 2, changing { $0.limits.pendingBytesMax = 1 << 20 }) { broker in
            let publisher = try await broker.connect()
            let slow = try await broker.connect()
            let good = try await broker.connect()
            let stuck = try await slow.subscribe(
                "s", limits: .init(messagesMax: 1, overflow: .wait))
            let subscription = try await good.subscribe("s")
            for i in 0..<500 { try await publisher.publish(pattern(10_000, seed: i), to: "s") }
            try await publisher.flush()
            #expect(try await subscription.take(500).count == 500)
            #expect(broker.snapshot().slowConsumersByBytes == 1)
            await expect(.connectionClosed) { _ = try await stuck.rest() }
            await expect(.connectionClosed) { try await slow.publish("", to: "s") }
        }
    }
}
