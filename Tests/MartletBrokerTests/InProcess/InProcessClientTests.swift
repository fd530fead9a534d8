import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

@Suite("A client in the same process", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct InProcessClientTests {
    @Test(
        "what is published comes to the subscription, with reply and headers", arguments: [1, 2, 4])
    func publishAndSubscribe(loops: Int) async throws {
        try await withBroker(loops: loops) { broker in
            let publisher = try await broker.connect(name: "p")
            let subscriber = try await broker.connect(name: "s")
            let subscription = try await subscriber.subscribe("a.*")
            try await publisher.publish("text", to: "a.b", reply: "r", headers: ["K": "v"])
            try await publisher.publish([1, 2, 3], to: "a.c")
            try await publisher.publish("no", to: "b")
            try await publisher.publish("", to: "a.d")
            let messages = try await subscription.take(3)
            #expect(messages.map(\.subject) == ["a.b", "a.c", "a.d"])
            #expect(messages.map(\.payload) == [Array("text".utf8), [1, 2, 3], []])
            #expect(messages.map(\.reply) == ["r", nil, nil])
            #expect(messages.map(\.headers) == [["K": "v"], [:], [:]])
        }
    }

    @Test("a message reaches a subscription made before it on another loop")
    func noRaceAfterSubscribe() async throws {
        try await withBroker(loops: 4) { broker in
            let publisher = try await broker.connect()
            let subscriber = try await broker.connect()
            for i in 0..<200 {
                let subscription = try await subscriber.subscribe("s.\(i)")
                try await publisher.publish("\(i)", to: "s.\(i)")
                #expect(try await subscription.take(1).map(\.text) == ["\(i)"])
            }
        }
    }

    @Test("queue members share the messages")
    func queue() async throws {
        try await withBroker { broker in
            let client = try await broker.connect()
            let first = try await client.subscribe("q", queue: "workers")
            let second = try await client.subscribe("q", queue: "workers")
            for i in 0..<100 { try await client.publish("\(i)", to: "q") }
            try await client.flush()
            client.close()
            let taken = try await first.rest().map(\.text) + second.rest().map(\.text)
            #expect(Set(taken).count == 100 && taken.count == 100)
        }
    }

    @Test("without echo a client does not hear itself")
    func echo() async throws {
        try await withBroker { broker in
            let client = try await broker.connect(echo: false)
            let other = try await broker.connect()
            let subscription = try await client.subscribe("x")
            try await client.publish("own", to: "x")
            try await client.flush()
            try await other.publish("other", to: "x")
            #expect(try await subscription.take(1).map(\.text) == ["other"])
        }
    }

    @Test("requests are answered, many at a time", arguments: [1, 2, 4])
    func requests(loops: Int) async throws {
        try await withBroker(loops: loops) { broker in
            let responder = try await broker.connect()
            let requester = try await broker.connect()
            let subscription = try await responder.subscribe("double")
            let work = Task {
                for try await message in subscription {
                    try await responder.publish(message.text + message.text, to: message.reply!)
                }
            }
            let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
                for i in 0..<500 {
                    group.addTask {
                        try await requester.request("\(i),", to: "double").text == "\(i),\(i),"
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 500 && answers.allSatisfy { $0 })
            #expect(requester.connection.state.withLock { $0.requests.isEmpty })
            work.cancel()
        }
    }

    @Test(
        "a request that nobody takes fails at once, one that nobody answers in time, and then is forgotten"
    )
    func unanswered() async throws {
        try await withBroker { broker in
            let client = try await broker.connect()
            await expect(.noResponders) { _ = try await client.request("?", to: "nobody") }
            let subscription = try await client.subscribe("mute")
            await expect(.timeout) {
                _ = try await client.request("?", to: "mute", timeout: .milliseconds(50))
            }
            let late = try #require(try await subscription.take(1).first)
            try await client.publish("late", to: late.reply!)
            try await client.flush()
            #expect(client.connection.state.withLock { $0.requests.isEmpty })
            let waiting = Task { try await client.request("?", to: "mute") }
            _ = try await subscription.take(1)
            waiting.cancel()
            await expect(.cancelled) { _ = try await waiting.value }
        }
    }

    @Test("what cannot be sent is refused before it is, and the client goes on")
    func refusedEarly() async throws {
        try await withBroker(loops: 1, changing { $0.limits.payloadBytesMax = 1_000 }) { broker in
            let client = try await broker.connect()
            for subject in ["", "a b", "a..b", ".a", "a.", "a\r\nPUB b 0", "a.*", ">", "a\u{0}"] {
                await expect(.subject) { try await client.publish("", to: subject) }
                await expect(.subject) { try await client.publish("", to: "a", reply: subject) }
            }
            for subject in ["", "a b", "a..b", "a.>.b", "a\r\n"] {
                await expect(.subject) { _ = try await client.subscribe(subject) }
            }
            await expect(.subject) { _ = try await client.subscribe("a", queue: "b c") }
            await expect(.subject) {
                _ = try await client.subscribe(String(repeating: "a", count: 5_000))
            }
            await expect(.subject) {
                try await client.publish("", to: String(repeating: "a", count: 5_000))
            }
            await expect(.payloadTooLarge) { try await client.publish(pattern(1_001), to: "a") }
            await expect(.payloadTooLarge) {
                try await client.publish(pattern(980), to: "a", headers: ["Name": "value"])
            }
            await expect(.header) { try await client.publish("", to: "a", headers: ["a b": ""]) }
            let subscription = try await client.subscribe("a")
            try await client.publish(pattern(1_000), to: "a")
            #expect(try await subscription.take(1).first?.payload.count == 1_000)
        }
    }

    @Test("what the broker refuses is an error of the subscribe or the next flush")
    func refusedByBroker() async throws {
        try await withBroker(loops: 1, changing { $0.limits.subscriptionsMax = 1 }) { broker in
            let client = try await broker.connect()
            try await client.publish("", to: "$NRG.x")
            await expect(.permission) { try await client.flush() }
            try await client.flush()
            let subscription = try await client.subscribe("a")
            let error = await #expect(throws: BrokerError.self) {
                _ = try await client.subscribe("b")
            }
            #expect(error?.message.lowercased().contains("maximum subscriptions exceeded") == true)
            #expect(subscription.droppedMessages == 0)
        }
    }

    @Test("credentials are needed where the broker asks for them")
    func credentials() async throws {
        try await withBroker(
            loops: 1,
            changing {
                $0.authorization.users = [.init(name: "\"ann\"", password: "säcret\\")]
            }
        ) { broker in
            await expect(.authorization) { _ = try await broker.connect() }
            await expect(.authorization) {
                _ = try await broker.connect(credentials: .user("\"ann\"", password: "x"))
            }
            let client = try await broker.connect(
                credentials: .user("\"ann\"", password: "säcret\\"))
            let subscription = try await client.subscribe("a")
            try await client.publish("in", to: "a")
            #expect(try await subscription.take(1).map(\.text) == ["in"])
        }
        try await withBroker(loops: 1, changing { $0.authorization.token = "t0k" }) { broker in
            await expect(.authorization) { _ = try await broker.connect(credentials: .token("no")) }
            _ = try await broker.connect(credentials: .token("t0k"))
        }
    }

    @Test("a client over the limit of connections is told so")
    func tooManyConnections() async throws {
        try await withBroker(loops: 1, changing { $0.limits.connectionsMax = 1 }) { broker in
            let first = try await broker.connect()
            let error = await expect(.connectionClosed) { _ = try await broker.connect() }
            #expect(error?.message.contains("maximum connections exceeded") == true)
            try await first.flush()
        }
    }
}

/// Expects a `BrokerError` with this code, and returns it.
@discardableResult
func expect(
    _ code: BrokerError.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async -> BrokerError? {
    let error = await #expect(throws: BrokerError.self, sourceLocation: sourceLocation) {
        try await body()
    }
    #expect(
        error?.code == code, "\(error.map { $0.message } ?? "none")", sourceLocation: sourceLocation
    )
    return error
}
