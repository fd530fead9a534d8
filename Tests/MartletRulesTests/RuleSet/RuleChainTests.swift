import MartletRules
import Testing

@Suite("Rules that go on add up, and shadows leave no trace")
struct RuleChainTests {
    @Test("the first rule for the subject decides alone")
    func firstDecides() throws {
        let set = try RuleSetUnderTest([
            rule("wide", "orders.>") { $0.to = "wide" }, rule { $0.to = "narrow" },
        ])
        let outcome = set.send("orders.1")
        #expect(outcome.subject == "wide" && outcome.steps.count == 1)
    }

    @Test("fields are set one after another, the last subject and payload count")
    func effectsAddUp() throws {
        let set = try RuleSetUnderTest([
            rule("first") {
                $0.set("A", "1")
                $0.set("B", "1")
                $0.to = "first"
                $0.payload = "/x"
                $0.goesOn = true
            },
            rule("other", "other.*"),
            rule("second", "orders.>") {
                $0.set("B", "{{json(/y)}}{{header(A)}}")
                $0.goesOn = true
            },
            rule("third", "*.1") { $0.to = "third.{{wildcard(1)}}" },
            rule("never", ">") { $0.to = "never" },
        ])
        let outcome = set.send(
            "orders.1", #"{"x":[1],"y":2}"#, header: "NATS/1.0\r\nA: 0\r\nC: 0\r\n\r\n")
        #expect(outcome.verdict == RuleVerdict(.forward, rule: 3))
        // All see the message as it came: A is 0 for the second.
        #expect(outcome.header == "NATS/1.0\r\nC: 0\r\nA: 1\r\nB: 20\r\n\r\n")
        #expect(outcome.subject == "third.orders" && outcome.payload == "[1]")
        #expect(outcome.steps.map(\.rule) == [0, 2, 3])
    }

    @Test(
        "what ends the message undoes what was done before",
        arguments: [
            (rule("end") { $0.validation = .schema("never") }, RuleVerdict.Fate.reject),
            (
                rule("end") {
                    $0.validation = .schema("never")
                    $0.invalidAction = .drop
                }, .drop
            ),
            (
                rule("end") {
                    $0.when = #"{"/x":[2]}"#
                    $0.otherwise = .drop
                }, .drop
            ),
            (rule("end") { $0.reply = [] }, .reply),
        ])
    func endings(last: RuleDefinition, fate: RuleVerdict.Fate) throws {
        let first = rule("first") {
            $0.to = "first"
            $0.set("A", "1")
            $0.payload = "/x"
            $0.goesOn = true
        }
        let set = try RuleSetUnderTest([first, last], schemas: ["never": "false"])
        let outcome = set.send("orders.1", #"{"x":1}"#)
        #expect(outcome.verdict.fate == fate && outcome.verdict.rule == 1)
        #expect(outcome.subject == nil && outcome.header == nil)
        #expect(outcome.payload == #"{"x":1}"#)
        #expect(outcome.steps.count == 2)
    }

    @Test("what is not valid can pass, and goes to the next rule only if the rule says so")
    func invalidPasses() throws {
        func send(goesOn: Bool) throws -> Outcome {
            try RuleSetUnderTest([
                rule("first") {
                    $0.validation = .json
                    $0.invalidAction = .pass
                    $0.goesOn = goesOn
                    $0.to = "valid"
                }, rule("second") { $0.to = "second" },
            ]).send("orders.1", "{")
        }
        let ends = try send(goesOn: false)
        #expect(ends.verdict == RuleVerdict(.pass))
        #expect(ends.steps == [RuleStep(rule: 0, result: .invalid, isShadow: false, code: 400)])
        let goes = try send(goesOn: true)
        #expect(goes.verdict == RuleVerdict(.forward, rule: 1) && goes.subject == "second")
        #expect(goes.results == [.invalid, .routed])
    }

    @Test("a part of a rule that fails leaves nothing of the other parts")
    func allOrNothing() throws {
        let set = try RuleSetUnderTest([
            rule("first") {
                $0.set("A", "1")
                $0.set("B", "{{json(/b)}}")
                $0.to = "first"
                $0.invalidAction = .pass
            }
        ])
        let outcome = set.send("orders.1", "{}")
        #expect(outcome.verdict == RuleVerdict(.pass))
        #expect(outcome.subject == nil && outcome.header == nil)
        #expect(outcome.message == "set_headers B: the message has not the value for it")
    }

    @Test(
        "a shadow does nothing, whatever it finds, and the next rule is tried",
        arguments: [
            (rule("shadow") { $0.validation = .schema("never") }, RuleResult.invalid, Int16(422)),
            (rule("shadow") { $0.reply = [] }, .replied, 0),
            (
                rule("shadow") {
                    $0.to = "shadow"
                    $0.set("A", "1")
                    $0.payload = "/x"
                }, .routed, 0
            ),
            (
                rule("shadow") {
                    $0.when = #"{"/x":[2]}"#
                    $0.otherwise = .drop
                }, .filteredDrop, 0
            ),
            (
                rule("shadow") {
                    $0.validation = .schema("never")
                    $0.deadLetter = "dead"
                }, .invalid, 422
            ),
            (rule("shadow"), .passed, 0),
        ])
    func shadows(shadow: RuleDefinition, result: RuleResult, code: Int16) throws {
        var shadow = shadow
        shadow.mode = .shadow
        let alone = try RuleSetUnderTest([shadow], schemas: ["never": "false"])
            .send("orders.1", #"{"x":1}"#)
        #expect(alone.verdict == RuleVerdict(.pass))
        #expect(alone.steps == [RuleStep(rule: 0, result: result, isShadow: true, code: code)])
        #expect(alone.subject == nil && alone.header == nil && alone.payload == #"{"x":1}"#)

        let second = rule("second") { $0.to = "second" }
        let both = try RuleSetUnderTest([shadow, second], schemas: ["never": "false"])
            .send("orders.1", #"{"x":1}"#)
        #expect(both.verdict == RuleVerdict(.forward, rule: 1))
        #expect(both.subject == "second" && both.results == [result, .routed])
    }

    @Test("a shadow tells why it would have refused")
    func shadowTells() throws {
        let set = try RuleSetUnderTest([
            rule {
                $0.validation = .json
                $0.mode = .shadow
            }
        ])
        let outcome = set.send("orders.1", "[1,]")
        #expect(outcome.message == "the payload is not JSON: expected_value at byte 3")
        #expect(outcome.failureOffset == 3)
    }

    @Test("a message meets 32 rules, and no more")
    func tooManyRules() throws {
        func send(_ count: Int) throws -> Outcome {
            let rules = (0..<count).map { index in rule("r\(index)") { $0.goesOn = true } }
            return try RuleSetUnderTest(rules).send("orders.1")
        }
        let most = try send(32)
        #expect(most.verdict == RuleVerdict(.pass, rule: 31) && most.steps.count == 32)
        let tooMany = try send(33)
        #expect(
            tooMany.verdict == RuleVerdict(.reject, rule: 32, code: 413, repliesToInvalid: true))
        #expect(tooMany.steps.count == 32)
        #expect(tooMany.body.contains(#""rule":"r32","code":"too_complex""#))
    }

    @Test("an output is as new for the next message")
    func nothingStays() throws {
        let set = try RuleSetUnderTest([
            rule {
                $0.validation = .json
                $0.to = "a"
                $0.set("A", "1")
                $0.payload = "/x"
                $0.deadLetter = "dead"
            }, rule("plain", "plain"),
        ])
        _ = set.send("orders.1", #"{"x":1}"#)
        _ = set.send("orders.1", "{")
        let outcome = set.send("plain", "p")
        #expect(
            outcome
                == Outcome(
                    verdict: RuleVerdict(.pass, rule: 1), subject: nil, header: nil, body: "",
                    message: "", payload: "p",
                    steps: [RuleStep(rule: 1, result: .passed, isShadow: false, code: 0)],
                    failureOffset: -1))
    }
}
