import MartletRules
import Testing

@Suite("A rule validates, asks its condition, then changes the message")
struct RuleStageTests {
    @Test("a message that no rule is for passes, without steps")
    func noRule() throws {
        let outcome = try RuleSetUnderTest([rule()]).send("other.x", "{}")
        #expect(outcome.verdict == RuleVerdict(.pass))
        #expect(outcome.steps.isEmpty)
    }

    @Test("a rule that says nothing lets all pass and looks at no payload")
    func emptyRule() throws {
        let outcome = try RuleSetUnderTest([rule()]).send("orders.1", "no JSON")
        #expect(outcome.verdict == RuleVerdict(.pass))
        #expect(outcome.results == [.passed])
    }

    @Test(
        "validate: json takes JSON and nothing else",
        arguments: [
            ("{\"a\":[1]}", RuleVerdict(.pass)),
            ("", RuleVerdict(.reject, code: 400, repliesToInvalid: true)),
            ("{\"a\":1}x", RuleVerdict(.reject, code: 400, repliesToInvalid: true)),
            ("{\"a\":1,\"a\":2}", RuleVerdict(.reject, code: 400, repliesToInvalid: true)),
            (
                String(repeating: "[", count: 33) + String(repeating: "]", count: 33),
                RuleVerdict(.reject, code: 413, repliesToInvalid: true)
            ),
        ])
    func validatesJSON(payload: String, verdict: RuleVerdict) throws {
        let set = try RuleSetUnderTest([rule { $0.validation = .json }])
        #expect(set.send("orders.1", payload).verdict == verdict)
    }

    @Test("a schema decides before the condition is asked")
    func schemaFirst() throws {
        let set = try RuleSetUnderTest(
            [
                rule {
                    $0.validation = .schema("order")
                    $0.when = #"{"/total":[-1]}"#
                    $0.otherwise = .drop
                }
            ], schemas: ["order": #"{"properties":{"total":{"minimum":0}}}"#])
        #expect(set.send("orders.1", #"{"total":-1}"#).verdict.code == 422)
        #expect(set.send("orders.1", #"{"total":1}"#).verdict == RuleVerdict(.drop))
    }

    @Test(
        "when decides what passes, ends or goes on",
        arguments: [
            (RuleDefinition.Otherwise.pass, RuleVerdict(.pass), [RuleResult.filteredPass]),
            (.drop, RuleVerdict(.drop), [.filteredDrop]),
            (.next, RuleVerdict(.forward, rule: 1), [.filteredNext, .routed]),
        ])
    func otherwise(
        _ otherwise: RuleDefinition.Otherwise, verdict: RuleVerdict, results: [RuleResult]
    )
        throws
    {
        let set = try RuleSetUnderTest([
            rule {
                $0.when = #"{"/tier":["gold"]}"#
                $0.otherwise = otherwise
                $0.to = "gold"
            },
            rule("second", "orders.>") { $0.to = "second" },
        ])
        let filtered = set.send("orders.1", #"{"tier":"tin"}"#)
        #expect(filtered.verdict == verdict)
        #expect(filtered.results == results)
        let gold = set.send("orders.1", #"{"tier":"gold"}"#)
        #expect(gold.verdict == RuleVerdict(.forward) && gold.subject == "gold")
    }

    @Test(
        "a payload that is needed and no JSON is not valid, with or without validate",
        arguments: [
            rule { $0.when = #"{"/a":[1]}"# }, rule { $0.to = "a.{{json(/a)}}" },
            rule { $0.set("X", "{{json(/a)}}") }, rule { $0.payload = "/a" },
            rule { $0.reply = [.init(name: "a", value: "/a")] }, rule { $0.reply = [] },
        ])
    func neededPayload(rule: RuleDefinition) throws {
        let set = try RuleSetUnderTest([rule])
        #expect(set.send("orders.1", "{").verdict.code == 400)
        #expect(set.send("orders.1", #"{"a":1}"#).verdict.code == 0)
    }

    @Test("subjects, headers and wildcards alone need no payload")
    func payloadNotNeeded() throws {
        let set = try RuleSetUnderTest([
            rule {
                $0.to = "a.{{wildcard(1)}}"
                $0.set("X", "{{header(Y)}}")
                $0.deadLetter = "dead.{{json(/id)}}"
            }
        ])
        let outcome = set.send("orders.1", "no JSON", header: "NATS/1.0\r\nY: 1\r\n\r\n")
        #expect(outcome.subject == "a.1")
        #expect(outcome.header == "NATS/1.0\r\nY: 1\r\nX: 1\r\n\r\n")
    }

    @Test(
        "only the value of payload is forwarded, as it was written",
        arguments: [
            ("/items", #"[1, 2]"#), ("/s", #""a\n""#), ("", #"{"items":[1, 2],"s":"a\n"}"#),
            ("/items/1", "2"),
        ])
    func forwardsPart(pointer: String, part: String) throws {
        let set = try RuleSetUnderTest([rule { $0.payload = pointer }])
        let outcome = set.send("orders.1", #"{"items":[1, 2],"s":"a\n"}"#)
        #expect(outcome.verdict == RuleVerdict(.forward))
        #expect(outcome.payload == part)
        #expect(outcome.subject == nil && outcome.header == nil)
    }

    @Test("a reply ends the message")
    func replies() throws {
        let set = try RuleSetUnderTest([
            rule {
                $0.reply = [.init(name: "id", value: "/id"), .init(name: "no", value: "/no")]
            }, rule("second"),
        ])
        let outcome = set.send("orders.1", #"{"id":"x"}"#)
        #expect(outcome.verdict == RuleVerdict(.reply))
        #expect(outcome.body == #"{"id":"x","no":null}"#)
        #expect(outcome.results == [.replied])
    }

    @Test("an answer that is larger than its buffer is 413")
    func replyTooLarge() throws {
        var limits = JSONLimits()
        limits.payloadBytesMax = 10_000
        let fields = (0..<10).map { RuleDefinition.Field(name: "f\($0)", value: "/a") }
        let set = try RuleSetUnderTest([rule { $0.reply = fields }], limits: limits)
        let long = "{\"a\":\"\(String(repeating: "x", count: 9_000))\"}"
        let outcome = set.send("orders.1", long)
        #expect(outcome.verdict.code == 413)
        #expect(outcome.body.contains(#""code":"reply_too_large""#))
        #expect(set.send("orders.1", #"{"a":1}"#).verdict == RuleVerdict(.reply))
    }

    @Test(
        "oversize is refused, or passes as it is; a rule without need of the payload does not care")
    func oversize() throws {
        var definition = RuleSetDefinition()
        definition.limits.payloadBytesMax = 20
        definition.rules = [
            rule {
                $0.validation = .json
                $0.to = "valid"
            }, rule("second", "other") { $0.to = "b" },
        ]
        let long = "\"\(String(repeating: "x", count: 30))\""
        let refused = try RuleSetUnderTest(definition).send("orders.1", long)
        #expect(refused.verdict.code == 413 && refused.message.contains("larger than 20 bytes"))
        #expect(try RuleSetUnderTest(definition).send("other", long).subject == "b")
        definition.passesOversize = true
        let passed = try RuleSetUnderTest(definition).send("orders.1", long)
        #expect(passed.verdict == RuleVerdict(.pass) && passed.results == [.passed])
        #expect(passed.subject == nil)
    }

    @Test("an accepted condition has work enough for every document")
    func workOfConditions() throws {
        let alternatives = (0..<400).map { "{\"equals-ignore-case\":\"a\($0)\"}" }
        let values = (0..<1_500).map { "\"value-\($0)\"" }
        let when = { "{\"/a\":[\(($0 as [String]).joined(separator: ","))]}" }
        let strings = [String](repeating: "\"b\"", count: 4_000).joined(separator: ",")
        for list in [alternatives, values] {
            let set = try RuleSetUnderTest([rule { $0.when = when(list) }])
            let outcome = set.send("orders.1", "{\"a\":[\(strings)]}")
            #expect(outcome.results == [.filteredPass], "\(outcome)")
            let last = set.send(
                "orders.1", "{\"a\":[\(strings),\"VALUE-1499\",\"A399\",\"value-1499\"]}")
            #expect(last.results == [.passed], "\(last)")
        }
        let many = (0..<1_900).map { "{\"equals-ignore-case\":\"a\($0)\"}" }
        #expect(throws: RuleSetFailure.self) {
            try RuleSetUnderTest([rule { $0.when = when(many) }])
        }
    }

    @Test("a number is limited where it is compared, and carried elsewhere")
    func longNumbers() throws {
        let long = String(repeating: "7", count: 60)
        let payload = "{\"n\":\(long),\"a\":\"x\"}"
        let refusing: [(inout RuleDefinition) -> Void] = [
            { $0.validation = .schema("bound") }, { $0.validation = .schema("enum") },
            { $0.validation = .schema("many") }, { $0.validation = .schema("unique") },
            { $0.validation = .schema("multiple") }, { $0.when = #"{"/n":[1]}"# },
            { $0.when = #"{"/n":[{"numeric":["<",1]}]}"# },
        ]
        let carrying: [(inout RuleDefinition) -> Void] = [
            { $0.validation = .json }, { $0.validation = .schema("type") },
            { $0.when = #"{"/a":["x"],"/n":[{"exists":true}]}"# }, { $0.payload = "/n" },
            { $0.when = #"{"/n":["a","b"],"/a":["x"]}"# },
            { $0.reply = [.init(name: "n", value: "/n")] }, { $0.set("N", "{{json(/n)}}") },
        ]
        let schemas = [
            "bound": #"{"properties":{"n":{"minimum":0}}}"#,
            "enum": #"{"properties":{"n":{"enum":["a",1]}}}"#,
            "many": #"{"properties":{"n":{"enum":[1,2,3,4,5,6,7,8,9,10]}}}"#,
            "unique": #"{"properties":{"n":true},"not":{"const":{"n":1,"a":"x"}}}"#,
            "multiple": #"{"properties":{"n":{"multipleOf":3}}}"#,
            "type": #"{"properties":{"n":{"type":"integer"},"a":{"enum":["x"]}}}"#,
        ]
        for change in refusing {
            let outcome = try RuleSetUnderTest([rule("r", "orders.*", change)], schemas: schemas)
                .send("orders.1", payload)
            #expect(outcome.verdict.code == 413 && outcome.failureOffset == 5, "\(outcome)")
            #expect(outcome.body.contains(#""code":"number_too_long""#), "\(outcome.body)")
        }
        for change in carrying {
            let outcome = try RuleSetUnderTest([rule("r", "orders.*", change)], schemas: schemas)
                .send("orders.1", payload)
            #expect(outcome.verdict.code == 0, "\(outcome)")
        }
    }

    @Test("an evaluation tells the steps that it took")
    func steps() throws {
        let set = try RuleSetUnderTest(
            [rule { $0.validation = .schema("s") }, rule("other", "other")],
            schemas: ["s": #"{"items":{"type":"integer","minimum":0}}"#])
        #expect(set.send("orders.1", "[]").steps.count == 1)
        let few = set.stepsSpent
        #expect(
            set.send("orders.1", "[\((0..<1_000).map(String.init).joined(separator: ","))]").verdict
                .code == 0)
        #expect((1_000...20_000).contains(set.stepsSpent), "\(set.stepsSpent)")
        #expect((1...100).contains(few), "\(few)")
        _ = set.send("other", "[1,2,3]")
        #expect(set.stepsSpent == 0, "a rule that needs no payload takes none")
    }

    @Test("a rule of an account is for that account only")
    func accounts() throws {
        let set = try RuleSetUnderTest([
            rule("a") { $0.account = "A" }, rule("b") { $0.account = "B" }, rule("g"),
            rule("g2") { $0.account = "$G" },
        ])
        #expect(set.firstRule("orders.1", account: "A") == 0)
        #expect(set.firstRule("orders.1", account: "B") == 1)
        #expect(set.firstRule("orders.1", account: "C") == -1)
        #expect(set.firstRule("orders.1") == 2)
        #expect(set.firstRule("orders.1", account: "$G") == 2)
        #expect(set.set.account(named: nil) == 0 && set.set.account(named: "C") == -1)
    }

    @Test("a rule that is off never matches, and is counted")
    func off() throws {
        let set = try RuleSetUnderTest([rule("first") { $0.mode = .off }, rule("second")])
        #expect(set.firstRule("orders.1") == 1)
        #expect(set.set.ruleCount == 2)
        #expect(set.set.name(of: 0) == "first" && set.set.definition(of: 1).name == "second")
    }

    @Test("destinations are chosen by weight")
    func weights() throws {
        let set = try RuleSetUnderTest([
            rule {
                $0.destinations = [
                    .init(template: "a", weight: 1), .init(template: "b", weight: 3),
                    .init(template: "c", weight: 96),
                ]
            }
        ])
        var counts: [String: Int] = [:]
        for random in 0..<200 as Range<UInt64> {
            counts[set.send("orders.1", random: random).subject ?? "", default: 0] += 1
        }
        #expect(counts == ["a": 2, "b": 6, "c": 192])
        #expect(set.send("orders.1", random: .max).subject == "c")
    }
}
