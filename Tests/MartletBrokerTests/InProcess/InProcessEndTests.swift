import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite(
    "How subscriptions and clients in the same process end",
    .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct InProcessEndTests {
    @Test("after unsubscribing, what came before is still there, and nothing more comes")
    func unsubscribe() async throws {
        try await withBroker { broker in
            let client = try await broker.connect()
            let subscription = try await client.subscribe("a")
            for i in 0..<5 { try await client.publish("\(i)", to: "a") }
            try await subscription.unsubscribe()
            try await client.publish("late", to: "a")
            try await client.flush()
            #expect(try await subscription.rest().map(\.text) == ["0", "1", "2", "3", "4"])
            #expect(broker.snapshot().subscriptions == 0)
            try await subscription.unsubscribe()
        }
    }

    @Test("a maximum counts from the first message", arguments: [3, 5, 8])
    func maximum(count: Int) async throws {
        try await withBroker { broker in
            let client = try await broker.connect()
            let subscription = try await client.subscribe("a")
            for i in 0..<5 { try await client.publish("\(i)", to: "a") }
            try await client.flush()
            try await subscription.unsubscribe(after: count)
            for i in 5..<10 { try await client.publish("\(i)", to: "a") }
            try await client.flush()
            #expect(try await subscription.rest().count == max(5, count))
            #expect(broker.snapshot().subscriptions == 0)
        }
    }

    @Test(
        "a subscription that nobody refers to is unsubscribed, a client that nobody refers to closed"
    )
    func dropped() async throws {
        try await withBroker { broker in
            do {
                let client = try await broker.connect()
                do { _ = try await client.subscribe("a") }
                #expect(await becomesTrue { broker.snapshot().subscriptions == 0 })
                try await client.flush()
            }
            #expect(await becomesTrue { broker.snapshot().connections == 0 })
        }
    }

    @Test("a subscription keeps its client")
    func subscriptionKeepsClient() async throws {
        try await withBroker { broker in
            func subscribe() async throws -> InProcessSubscription {
                try await broker.connect().subscribe("a")
            }
            let subscription = try await subscribe()
            let publisher = try await broker.connect()
            try await publisher.publish("still here", to: "a")
            #expect(try await subscription.take(1).map(\.text) == ["still here"])
        }
    }

    @Test("what was published before close is delivered")
    func close() async throws {
        try await withBroker(loops: 2) { broker in
            let subscription = try await broker.connect().subscribe("a")
            let client = try await broker.connect()
            let own = try await client.subscribe("b")
            for i in 0..<1_000 { try await client.publish("\(i)", to: "a") }
            client.close()
            #expect(try await subscription.take(1_000).count == 1_000)
            #expect(try await own.rest().isEmpty)
            await expect(.connectionClosed) { try await client.publish("", to: "a") }
            await expect(.connectionClosed) { _ = try await client.subscribe("a") }
            await expect(.connectionClosed) { _ = try await client.request("", to: "a") }
            client.close()
        }
    }

    @Test("draining lets those who iterate finish, answers included")
    func drain() async throws {
        try await withBroker { broker in
            let requester = try await broker.connect()
            let answers = try await requester.subscribe("answers")
            let responder = try await broker.connect()
            let subscription = try await responder.subscribe("work", queue: "q")
            let unused = try await responder.subscribe("unused")
            for i in 0..<50 { try await requester.publish("\(i)", to: "work", reply: "answers") }
            try await requester.flush()
            let work = Task {
                for try await message in subscription {
                    try await Task.sleep(for: .milliseconds(1))
                    try await responder.publish(message.payload, to: message.reply!)
                }
            }
            try await responder.drain()
            try await work.value
            #expect(try await answers.take(50).map(\.text) == (0..<50).map { "\($0)" })
            #expect(try await unused.rest().isEmpty)
            await expect(.connectionClosed) { try await responder.flush() }
        }
    }

    @Test("a drain that nobody helps ends in time")
    func drainTimeout() async throws {
        try await withBroker { broker in
            let client = try await broker.connect()
            let subscription = try await client.subscribe("a")
            try await client.publish("x", to: "a")
            await expect(.timeout) { try await client.drain(timeout: .milliseconds(50)) }
            #expect(try await subscription.rest().count == 1)
        }
    }

    @Test("a cancelled iteration ends, and another one goes on where it was")
    func cancelledIteration() async throws {
        try await withBroker { broker in
            let client = try await broker.connect()
            let subscription = try await client.subscribe("a")
            let first = Task { try await subscription.rest().count }
            try await Task.sleep(for: .milliseconds(20))
            first.cancel()
            #expect(try await first.value == 0)
            try await client.publish("x", to: "a")
            #expect(try await subscription.take(1).map(\.text) == ["x"])
        }
    }
}
