import Foundation
import MartletRules
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Rules in a broker", .serialized)
struct RuleStageTests {
    @Test("A valid message is delivered as it came", arguments: RuleSetup.all)
    func valid(setup: RuleSetup) throws {
        let broker = try setup.broker([
            RuleDefinition("orders", "orders.*") { $0.validation = .schema("order") }
        ])
        let subscriber = try broker.subscriber("SUB orders.> 1")
        let publisher = try broker.client()
        let large = #"{"id": 1, "text": "\#(String(repeating: "x", count: 100_000))"}"#
        for payload in [#"{"id": 7}"#, large, #" {"id":8} "#] {
            try publisher.send(pub("orders.new", payload, reply: "back"))
            let message = try subscriber.message()
            #expect(message.text == payload)
            #expect(message.reply == "back" && message.header.isEmpty)
            try publisher.send(hpub("orders.new", "A: b", payload))
            let second = try subscriber.message()
            #expect(second.text == payload && second.header.contains("A: b\r\n"))
        }
    }

    @Test(
        "A rejected message is never acknowledged, and its publisher hears of it",
        arguments: RuleSetup.all, [false, true])
    func refusals(setup: RuleSetup, isVerbose: Bool) throws {
        let broker = try setup.broker([
            RuleDefinition("loud", "loud") { $0.validation = .json },
            RuleDefinition("silent", "silent") {
                $0.validation = .json
                $0.repliesToInvalid = false
            },
        ])
        let publisher = try broker.client(ClientOptions(verbose: isVerbose))
        try publisher.send("SUB in 1\r\n")
        try publisher.barrier()
        // The large one is read into a block of its own.
        for size in [1, 20_000] {
            let bad = String(repeating: "x", count: size)
            func heard(_ subject: String, _ payload: String, reply: String?) throws -> [String] {
                try publisher.send(pub(subject, payload, reply: reply))
                return try publisher.barrier().map { frame in
                    switch frame {
                    case .ok: "+OK"
                    case .message: "answer"
                    case .error(let text): String(text.drop { $0 == "'" }.prefix(44))
                    default: "\(frame)"
                    }
                }.sorted()
            }
            func refusal(_ subject: String) -> String {
                String("Permissions Violation for Publish to \"\(subject)\": ".prefix(44))
            }
            let loud = isVerbose ? [refusal("loud")] : []
            let silent = isVerbose ? [refusal("silent")] : []
            #expect(try heard("loud", bad, reply: nil) == [refusal("loud")])
            #expect(try heard("loud", bad, reply: "in") == loud + ["answer"])
            #expect(try heard("silent", bad, reply: nil) == silent)
            #expect(try heard("silent", bad, reply: "in") == silent)
            let good = "\"\(bad)\""
            #expect(try heard("loud", good, reply: nil) == (isVerbose ? ["+OK"] : []))
        }
    }

    @Test("A rule is for the messages of its account alone", arguments: RuleSetup.all)
    func accounts(setup: RuleSetup) throws {
        let broker = try setup.broker([
            RuleDefinition("of-a", "orders") {
                $0.account = "a"
                $0.destinations = [.init(template: "by.a")]
            },
            RuleDefinition("of-g", "orders") { $0.destinations = [.init(template: "by.g")] },
            RuleDefinition("of-nobody", "orders") {
                $0.account = "nobody"
                $0.destinations = [.init(template: "by.nobody")]
            },
        ]) {
            $0.accounts = ["a", "b"]
            $0.authorization.users = [
                .init(name: "a", password: "a", account: "a"),
                .init(name: "b", password: "b", account: "b"), .init(name: "g", password: "g"),
            ]
        }
        let users = ["a", "b", "g"]
        let subscribers = try users.map { try broker.client(ClientOptions(user: $0)) }
        for subscriber in subscribers {
            try subscriber.send("SUB > 1\r\n")
            try subscriber.barrier()
        }
        for user in users {
            let publisher = try broker.client(ClientOptions(user: user))
            try publisher.send(pub("orders", user))
            try publisher.barrier()
        }
        for (subscriber, (user, subject)) in zip(
            subscribers, [("a", "by.a"), ("b", "orders"), ("g", "by.g")])
        {
            let messages = try subscriber.barrier().compactMap(\.message)
            #expect(messages.map(\.text) == [user] && messages.map(\.subject) == [subject])
        }
        let matched = try #require(broker.broker.rulesSnapshot()).rules.map(\.matched)
        #expect(matched == [1, 1, 0])
    }

    @Test(
        "Who asked hears what is not valid, and others do not get the message",
        arguments: RuleSetup.all)
    func invalid(setup: RuleSetup) throws {
        let broker = try setup.broker([
            RuleDefinition("orders", "orders.*") {
                $0.validation = .schema("order")
                $0.deadLetter = "dlq.{{wildcard(1)}}"
            }
        ])
        let (subscriber, dead, requester) = (
            try broker.client(), try broker.client(), try broker.client()
        )
        try subscriber.send("SUB orders.* 1\r\n")
        try dead.send("SUB dlq.* 1\r\n")
        try requester.send("SUB inbox 1\r\n")
        for client in [subscriber, dead, requester] { try client.barrier() }
        try requester.send(pub("orders.new", #"{"id": 1, "total": -5}"#, reply: "inbox"))
        let answer = try requester.message()
        #expect(answer.header.contains("Nats-Service-Error-Code: 422\r\n"))
        #expect(answer.header.contains("Nats-Service-Error: "))
        let body = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.payload)) as? [String: Any])
        #expect(body["rule"] as? String == "orders")
        #expect(body["code"] as? String == "minimum")
        #expect(body["path"] as? String == "/total")
        let letter = try dead.message()
        #expect(letter.subject == "dlq.new" && letter.text == #"{"id": 1, "total": -5}"#)
        #expect(letter.header.contains("X-Dead-Rule: orders\r\n"))
        #expect(letter.header.contains("X-Dead-Subject: orders.new\r\n"))
        try requester.send(pub("orders.new", "{", reply: "inbox"))
        #expect(try requester.message().header.contains("Nats-Service-Error-Code: 400\r\n"))
        _ = try dead.message()
        try requester.barrier()
        #expect(try subscriber.barrier().isEmpty)
        let rule = try #require(broker.broker.rulesSnapshot()?.rules.first)
        #expect(rule.matched == 2 && rule.results[.invalid] == 2)
        #expect(rule.invalidByCode[422] == 1 && rule.invalidByCode[400] == 1)
        #expect(rule.deadLetters == 2 && !rule.failures.isEmpty)
    }

    @Test(
        "A message goes where its content says, with the fields it gets", arguments: RuleSetup.all)
    func routed(setup: RuleSetup) throws {
        let broker = try setup.broker([
            RuleDefinition("route", "in.*") {
                $0.destinations = [.init(template: "out.{{json(/country)}}.{{wildcard(1)}}")]
                $0.headers = [.init(name: "X-Tier", value: "{{json(/tier)}}")]
                $0.payload = "/items"
            }
        ])
        let (subscriber, publisher) = (try broker.client(), try broker.client())
        try subscriber.send("SUB out.> 1\r\n")
        try subscriber.barrier()
        for size in [1, 3_000, 30_000] {
            let items = "[\"\(String(repeating: "x", count: size))\", 2]"
            try publisher.send(
                pub("in.a", #"{"country":"de","tier":"gold","items":\#(items)}"#, reply: "r"))
            let message = try subscriber.message()
            #expect(message.subject == "out.de.a" && message.reply == "r")
            #expect(message.header == "NATS/1.0\r\nX-Tier: gold\r\n\r\n")
            #expect(message.text == items)
        }
        // A value that would be more than one token goes nowhere.
        try publisher.send("SUB inbox 1\r\n")
        try publisher.send(pub("in.a", #"{"country":"a.b","tier":"","items":[]}"#, reply: "inbox"))
        #expect(try publisher.message().header.contains("422"))
        #expect(try subscriber.barrier().isEmpty)
    }

    @Test("A rule answers from the payload", arguments: RuleSetup.all)
    func reply(setup: RuleSetup) throws {
        let broker = try setup.broker([
            RuleDefinition("quote", "svc.quote") {
                $0.reply = [
                    .init(name: "id", value: "/id"), .init(name: "tier", value: "/customer/tier"),
                ]
            }
        ])
        let requester = try broker.client()
        try requester.send("SUB inbox.* 1\r\n")
        for n in 0..<200 {
            try requester.send(
                pub(
                    "svc.quote", #"{"id": \#(n), "customer": {"tier": "gold"}}"#,
                    reply: "inbox.\(n)"))
        }
        for n in 0..<200 {
            let answer = try requester.message()
            #expect(answer.subject == "inbox.\(n)")
            #expect(answer.text == #"{"id":\#(n),"tier":"gold"}"#)
        }
        // Nobody subscribed, and nobody hears of it.
        try requester.send(pub("svc.quote", "{}"))
        #expect(try requester.barrier().isEmpty)
    }

    @Test("A requester hears 503 when a routed message finds nobody", arguments: RuleSetup.all)
    func noResponders(setup: RuleSetup) throws {
        let broker = try setup.broker([
            RuleDefinition("route", "in") { $0.destinations = [.init(template: "out")] }
        ])
        let requester = try broker.client()
        try requester.send("SUB inbox 1\r\n" + pub("in", "{}", reply: "inbox"))
        #expect(try requester.message().isNoResponders)
    }

    @Test(
        "New rules hold for the next message, and bad ones change nothing",
        arguments: RuleSetup.all)
    func reload(setup: RuleSetup) throws {
        let broker = try setup.broker([
            RuleDefinition("drop", "r") {
                $0.condition = Array(#"{"/keep": [true]}"#.utf8)
                $0.otherwise = .drop
            }
        ])
        let (publisher, subscriber) = (try broker.client(), try broker.client())
        try subscriber.send("SUB r 1\r\nSUB s 2\r\n")
        try subscriber.barrier()
        func deliveries() throws -> [String] {
            try publisher.send(pub("r", #"{"keep":false}"#))
            try publisher.barrier()
            return try subscriber.barrier().compactMap(\.message?.subject)
        }
        #expect(try deliveries() == [])
        var changed = setup.rules([
            RuleDefinition("route", "r") { $0.destinations = [.init(template: "s")] }
        ])
        try broker.broker.replaceRules(changed)
        #expect(try deliveries() == ["s"])
        // So that a reload of the first ones is a change.
        #expect(broker.broker.configuration.rules == changed)
        changed.definition.rules[0].destinations = [.init(template: "{{json(/x)}}")]
        #expect(throws: BrokerError.self) { try broker.broker.replaceRules(changed) }
        #expect(try deliveries() == ["s"])
        try broker.broker.replaceRules(nil)
        #expect(try deliveries() == ["r"])
        #expect(broker.broker.rulesSnapshot() == nil)
    }

    @Test("A dead letter whose subject cannot be made is counted", arguments: RuleSetup.all)
    func lostDeadLetter(setup: RuleSetup) throws {
        let broker = try setup.broker([
            RuleDefinition("orders", "orders") {
                $0.validation = .schema("order")
                $0.deadLetter = "dead.{{json(/country)}}"
            }
        ])
        let client = try broker.client()
        try client.send("SUB dead.> 1\r\nSUB in 2\r\n" + pub("orders", "{}", reply: "in"))
        #expect(try client.message().subject == "in")
        #expect(try client.barrier().isEmpty)
        let rule = try #require(broker.broker.rulesSnapshot()?.rules.first)
        #expect(rule.deadLettersLost == 1 && rule.deadLetters + rule.deadLettersDropped == 0)
    }

    @Test("A shadow rule counts and changes nothing", arguments: RuleSetup.all)
    func shadow(setup: RuleSetup) throws {
        let broker = try setup.broker([
            RuleDefinition("shadow", "s") {
                $0.validation = .json
                $0.mode = .shadow
            }
        ])
        let client = try broker.client()
        try client.send("SUB s 1\r\n" + pub("s", "no json"))
        #expect(try client.message().text == "no json")
        let rule = try #require(broker.broker.rulesSnapshot()?.rules.first)
        #expect(rule.shadowResults[.invalid] == 1 && rule.results[.invalid] == 0)
    }
}
