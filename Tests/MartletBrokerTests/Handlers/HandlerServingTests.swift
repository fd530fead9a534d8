import Foundation
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

/// What handlers saw, from whatever thread.
final class Seen<Value: Sendable>: Sendable {
    private let values = Guarded<[Value]>([])
    func append(_ value: Value) { values.withLock { $0.append(value) } }
    var all: [Value] { values.withLock { $0 } }
    var count: Int { values.withLock { $0.count } }
}

/// Holds threads back until it is opened.
final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)
    func open() { isOpen.store(true, ordering: .releasing) }
    func pass() { while !isOpen.load(ordering: .acquiring) { usleep(1_000) } }
}

@Suite("How requests come to handlers", .timeLimit(.minutes(2)))
struct HandlerServingTests {
    @Test("requests of one publisher keep their order", arguments: [1, 2, 4])
    func order(loops: Int) async throws {
        try await withBroker(loops: loops) { broker in
            let seen = Seen<[Int]>()
            try broker.respond(to: "n.*") { request in
                seen.append([Int(request.subjectToken(1)!)!, Int(request.text)!])
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for publisher in 0..<4 {
                    group.addTask {
                        let client = try await broker.connect()
                        for i in 0..<2_000 {
                            try await client.publish("\(i)", to: "n.\(publisher)")
                        }
                        try await client.flush()
                    }
                }
                try await group.waitForAll()
            }
            #expect(await becomesTrue { seen.count == 8_000 })
            for publisher in 0..<4 {
                let own = seen.all.filter { $0[0] == publisher }.map { $0[1] }
                #expect(own == Array(0..<2_000))
            }
        }
    }

    @Test("so many are answered at once as `concurrency` says, and each once")
    func concurrency() async throws {
        try await withBroker(changing { $0.handlerThreadCount = 4 }) { broker in
            let (running, highest) = (Shared(Atomic<Int>(0)), Shared(Atomic<Int>(0)))
            try broker.respond(to: "slow", concurrency: 3) { request in
                let count = running.value.wrappingAdd(1, ordering: .relaxed).newValue
                highest.value.max(count, ordering: .relaxed)
                usleep(5_000)
                running.value.wrappingSubtract(1, ordering: .relaxed)
                try request.reply(request.text)
            }
            let client = try await broker.connect()
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for i in 0..<200 {
                    group.addTask { try await client.request("\(i)", to: "slow").text }
                }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(Set(answers) == Set((0..<200).map(String.init)) && answers.count == 200)
            let reached = highest.value.load(ordering: .relaxed)
            #expect((2...3).contains(reached))
        }
    }

    @Test(
        "requests and replies of any size come whole and to who asked",
        arguments: [1, 2, 4], [1, 3])
    func randomSizes(loops: Int, concurrency: Int) async throws {
        var random = SeededRandom(printedFor: "randomSizes(\(loops), \(concurrency))")
        // Mostly small ones; one in a hundred fills a message.
        let sizes = (0..<1_700).map { _ in
            switch random.below(100) {
            case 0: random.below(1_000_000)
            case 1..<10: random.below(70_000)
            default: random.below(300)
            }
        }
        try await withBroker(loops: loops) { broker in
            try broker.respond(to: "turn", concurrency: concurrency) { request in
                try request.reply(
                    Array(request.payload.reversed()), headers: ["N": request.header("N")!])
            }
            let clients = [try await broker.connect(), try await broker.connect()]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        for i in stride(from: worker, to: sizes.count, by: 8) {
                            let payload = pattern(sizes[i], seed: i)
                            let answer = try await clients[i % 2].request(
                                payload, to: "turn", headers: ["N": "\(i)"], timeout: .seconds(60))
                            #expect(answer.headers["N"] == "\(i)")
                            #expect(answer.payload == payload.reversed())
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a handler that takes long delays no other handler and no other subscriber")
    func stuckHandler() async throws {
        try await withBroker(changing { $0.handlerThreadCount = 1 }) { broker in
            let gate = Gate()
            try broker.respond(to: "stuck") { request in
                gate.pass()
                try request.reply("late")
            }
            try broker.respond(to: "quick") { try $0.reply("quick") }
            let client = try await broker.connect()
            let other = try await client.subscribe("news")
            async let late = client.request("", to: "stuck", timeout: .seconds(30))
            try await client.publish("1", to: "news")
            #expect(try await other.take(1).count == 1)
            for _ in 0..<100 {
                #expect(try await client.request("", to: "quick").text == "quick")
            }
            gate.open()
            #expect(try await late.text == "late")
        }
    }

    @Test("in front of a handler that is behind, publishers wait, and nothing is lost")
    func backpressure() async throws {
        try await withBroker { broker in
            let count = Shared(Atomic<Int>(0))
            try broker.respond(to: "work") { request in
                usleep(500)
                count.value.wrappingAdd(1, ordering: .relaxed)
            }
            let client = try await broker.connect()
            let payload = pattern(64 << 10)
            for _ in 0..<600 { try await client.publish(payload, to: "work") }
            #expect(await becomesTrue(30) { count.value.load(ordering: .relaxed) == 600 })
        }
    }

    @Test(
        "when nothing moves, further requests are refused until the handler goes on",
        arguments: [1, 2])
    func busy(loops: Int) async throws {
        try await withBroker(loops: loops) { broker in
            let gate = Gate()
            let registration = try broker.respond(to: "stuck") { request in
                gate.pass()
                try request.reply("served \(request.header("N")!)")
            }
            let client = try await broker.connect()
            let payload = pattern(16 << 10)
            let answers = try await withThrowingTaskGroup(of: InProcessMessage.self) { group in
                for i in 0..<600 {
                    group.addTask {
                        try await client.request(
                            payload, to: "stuck", headers: ["N": "\(i)"], timeout: .seconds(60))
                    }
                }
                group.addTask {
                    while registration.refusedRequests < 100 {
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    gate.open()
                    return try await client.request("", to: "stuck", headers: ["N": "600"])
                }
                return try await group.reduce(into: [InProcessMessage]()) { $0.append($1) }
            }
            let refused = answers.filter { $0.headers["Nats-Service-Error-Code"] == "503" }
            #expect(refused.allSatisfy { $0.headers["Nats-Service-Error"] == "handler busy" })
            #expect(refused.count == registration.refusedRequests && refused.count >= 100)
            let served = answers.filter { $0.text.hasPrefix("served ") }
            #expect(served.count + refused.count == 601 && served.count > 1)
            #expect(
                try await client.request("", to: "stuck", headers: ["N": "x"]).text == "served x")
        }
    }
}

/// Something without copies, for closures.
final class Shared<Value: ~Copyable & Sendable>: Sendable {
    let value: Value
    init(_ value: consuming Value) { self.value = value }
}
