import Foundation
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

@Suite("How handlers begin and end", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct HandlerLifeTests {
    @Test("a handler needs a running broker, a valid subject, valid fields, and to be let in")
    func refusals() async throws {
        func code(_ broker: Broker, _ subject: String, _ fields: [String] = []) -> BrokerError.Code?
        {
            do throws(BrokerError) {
                try broker.respond(to: subject, fields: fields) { _ in }
                return nil
            } catch {
                return error.code
            }
        }
        let broker = try makeBroker { $0.authorization.token = "secret" }
        #expect(code(broker, "a") == .notRunning)
        try broker.start()
        #expect(code(broker, "a..b") == .subject && code(broker, "a b") == .subject)
        #expect(code(broker, String(repeating: "a", count: 5_000)) == .subject)
        #expect(code(broker, "a", ["nope"]) == .unknownField)
        #expect(code(broker, "a") == .authorization)
        try broker.respond(to: "a", credentials: .token("secret")) { try $0.reply("in") }
        let client = try await broker.connect(credentials: .token("secret"))
        #expect(try await client.request("", to: "a").text == "in")
        await broker.shutdown()
        #expect(code(broker, "a") == .notRunning)
    }

    @Test(
        "after `respond`, every request is answered; after `cancel`, none is", arguments: [1, 2, 4])
    func atOnce(loops: Int) async throws {
        try await withBroker(loops: loops) { broker in
            let client = try await broker.connect()
            for i in 0..<30 {
                let registration = try broker.respond(to: "now") { try $0.reply("\(i)") }
                #expect(try await client.request("", to: "now").text == "\(i)")
                registration.cancel()
                await registration.waitUntilEnded()
                #expect(registration.hasEnded)
                await #expect(throws: BrokerError.self) { try await client.request("", to: "now") }
            }
        }
    }

    @Test("cancelling finishes what the handler was given", arguments: [1, 3])
    func drain(concurrency: Int) async throws {
        try await withBroker { broker in
            let registration = try broker.respond(to: "slow", concurrency: concurrency) { request in
                usleep(1_000)
                try request.reply("done")
            }
            let client = try await broker.connect()
            let answers = try await client.subscribe("answers")
            for _ in 0..<200 { try await client.publish("", to: "slow", reply: "answers") }
            try await client.flush()
            registration.cancel()
            registration.cancel()
            await registration.waitUntilEnded()
            #expect(try await answers.take(200).count == 200)
            await #expect(throws: BrokerError.self) { try await client.request("", to: "slow") }
        }
    }

    @Test("a broker stops under load, and no handler runs afterwards", arguments: [1, 2, 4])
    func stopUnderLoad(loops: Int) async throws {
        for _ in 0..<5 {
            let broker = try makeBroker(loops: loops)
            try broker.start()
            let runs = Shared(Atomic<Int>(0))
            let registration = try broker.respond(to: "work", concurrency: 2) { request in
                runs.value.wrappingAdd(1, ordering: .relaxed)
                try request.reply([UInt8](repeating: 1, count: 10_000))
            }
            let asynchronous = try broker.respond(to: "wait") { message in
                try await Task.sleep(for: .seconds(60))
                return "never"
            }
            let client = try await broker.connect()
            let load = Task {
                while true {
                    try await client.publish(pattern(1_000), to: "work", reply: "nobody")
                    try await client.publish("", to: "wait", reply: "nobody")
                }
            }
            while runs.value.load(ordering: .relaxed) < 100 { await Task.yield() }
            await broker.shutdown()
            let after = runs.value.load(ordering: .relaxed)
            _ = await load.result
            await registration.waitUntilEnded()
            await asynchronous.waitUntilEnded()
            #expect(runs.value.load(ordering: .relaxed) == after)
        }
    }

    @Test("a handler may stop its broker, add handlers and cancel itself")
    func fromWithin() async throws {
        let broker = try makeBroker { $0.handlerThreadCount = 1 }
        try broker.start()
        let own = Shared(Guarded<HandlerRegistration?>(nil))
        let first = try broker.respond(to: "first") { [weak broker] request in
            try broker?.respond(to: "second") { try $0.reply("second") }
            own.value.withLock { $0 }?.cancel()
            try request.reply("first")
        }
        own.value.withLock { $0 = first }
        let client = try await broker.connect()
        #expect(try await client.request("", to: "first").text == "first")
        #expect(try await client.request("", to: "second").text == "second")
        await first.waitUntilEnded()
        let stopper = try broker.respond(to: "stop") { [weak broker] _ in broker?.stop() }
        try await client.publish("", to: "stop")
        await stopper.waitUntilEnded()
        await broker.waitUntilStopped()
    }

    @Test("a connection that the broker closes is opened again")
    func reopens() async throws {
        try await withBroker { broker in
            let registration = try broker.respond(to: "again") { try $0.reply("here") }
            let client = try await broker.connect()
            #expect(try await client.request("", to: "again").text == "here")
            // The oldest connection is the handler's.
            broker.shared.loops[0].mail.post(.closeSome(1))
            var answers = 0
            for _ in 0..<200 where answers < 3 {
                do throws(BrokerError) {
                    if try await client.request("", to: "again").text == "here" { answers += 1 }
                } catch {
                    #expect(error.code == .noResponders)
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(answers >= 3)
            registration.cancel()
            await registration.waitUntilEnded()
            await #expect(throws: BrokerError.self) { try await client.request("", to: "again") }
        }
    }
}
