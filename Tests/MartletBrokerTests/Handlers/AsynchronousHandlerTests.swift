import Foundation
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

@Suite("Handlers that wait", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct AsynchronousHandlerTests {
    @Test("a message is copied, and what the task returns is the answer", arguments: [1, 2])
    func answers(loops: Int) async throws {
        struct Secret: Error {}
        try await withBroker(loops: loops) { broker in
            let registration = try broker.respond(to: "later.*", queue: "q") { message in
                await Task.yield()
                switch message.text {
                case "known": throw ServiceError(code: 409, description: "taken")
                case "secret": throw Secret()
                case "silent": return nil
                case "large": return HandlerReply([UInt8](repeating: 0, count: 2 << 20))
                default:
                    return HandlerReply(
                        "\(message.subject) \(message.text)", headers: ["A": message.headers["B"]!])
                }
            }
            let client = try await broker.connect()
            let fine = try await client.request("hello", to: "later.a", headers: ["B": "c"])
            #expect(fine.text == "later.a hello" && fine.headers["A"] == "c")
            for (text, code) in [("known", "409"), ("secret", "500"), ("large", "500")] {
                let answer = try await client.request(text, to: "later.a")
                #expect(answer.headers["Nats-Service-Error-Code"] == code)
            }
            await #expect(throws: BrokerError.self) {
                try await client.request("silent", to: "later.a", timeout: .milliseconds(50))
            }
            #expect(registration.failedRequests == 3)
        }
    }

    @Test("no more than so many are under way, and all are answered")
    func bounded() async throws {
        try await withBroker { broker in
            let (running, highest) = (Shared(Atomic<Int>(0)), Shared(Atomic<Int>(0)))
            let registration = try broker.respond(to: "few", inFlightMax: 5) { message in
                let count = running.value.wrappingAdd(1, ordering: .relaxed).newValue
                highest.value.max(count, ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(1))
                running.value.wrappingSubtract(1, ordering: .relaxed)
                return HandlerReply(message.payload)
            }
            let client = try await broker.connect()
            let answers = try await client.subscribe("answers")
            for i in 0..<500 { try await client.publish("\(i)", to: "few", reply: "answers") }
            let texts = try await answers.take(500).map(\.text)
            #expect(Set(texts) == Set((0..<500).map(String.init)))
            #expect(highest.value.load(ordering: .relaxed) == 5)
            registration.cancel()
            await registration.waitUntilEnded()
        }
    }

    @Test("cancelling lets tasks finish")
    func drain() async throws {
        try await withBroker { broker in
            let registration = try broker.respond(to: "slow") { message in
                try await Task.sleep(for: .milliseconds(100))
                return "done"
            }
            let client = try await broker.connect()
            let answers = try await client.subscribe("answers")
            for _ in 0..<50 { try await client.publish("", to: "slow", reply: "answers") }
            try await client.flush()
            registration.cancel()
            await registration.waitUntilEnded()
            #expect(try await answers.take(50).map(\.text) == Array(repeating: "done", count: 50))
        }
    }
}
