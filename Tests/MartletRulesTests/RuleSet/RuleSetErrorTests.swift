import MartletRules
import Testing

@Suite("All that is wrong with a set of rules is said at once, and where")
struct RuleSetErrorTests {
    private func errors(_ definition: RuleSetDefinition) -> [String] {
        do throws(RuleSetFailure) {
            _ = try RuleSet(definition)
            return []
        } catch {
            return error.errors
        }
    }

    private func errors(_ rules: RuleDefinition...) -> [String] {
        var definition = RuleSetDefinition()
        definition.rules = rules
        return errors(definition)
    }

    typealias Case = (what: String, rule: RuleDefinition, error: String)

    private static let names: [Case] = [
        ("", rule("a b"), "a name has 1 to 64 letters, digits, _, . and -"),
        ("", rule(""), "a name has 1 to 64 letters, digits, _, . and -"),
        ("", rule(String(repeating: "n", count: 65)), "a name has 1 to 64"),
        ("", rule("r\u{E9}"), "a name has 1 to 64"),
        ("subject: ", rule("r", "a..b"), "a token is empty: a..b"),
        ("subject: ", rule("r", ""), "a token is empty"),
        (
            "subject: ", rule("r", "a b"),
            "a subject has no spaces and no control characters: a b"
        ),
        ("subject: ", rule("r", "a.>.b"), "> is the last token of a subject: a.>.b"),
        (
            "subject: ", rule("r", String(repeating: "a", count: 4_097)),
            "a subject has at most 4096"
        ),
        ("account: ", rule { $0.account = "" }, "no name of an account"),
        ("account: ", rule { $0.account = "a b" }, "no name of an account: a b"),
    ]

    private static let parts: [Case] = [
        ("validate: ", rule { $0.validation = .schema("no") }, "there is no schema no"),
        (
            "when: ", rule { $0.when = #"{"a":[1]}"# },
            "a JSON Pointer is empty or begins with /: a"
        ),
        ("when: ", rule { $0.when = "{" }, ""),
        ("else: ", rule { $0.otherwise = .drop }, "has no effect without when"),
        ("set_headers: ", rule { $0.set("", "x") }, "no name of a header field: "),
        ("set_headers: ", rule { $0.set("a b", "x") }, "no name of a header field: a b"),
        ("set_headers: ", rule { $0.set("a:", "x") }, "no name of a header field: a:"),
        ("set_headers: ", rule { $0.set("a\r\n", "x") }, "no name of a header field"),
        (
            "set_headers: ",
            rule {
                $0.set("A", "x")
                $0.set("A", "y")
            }, "A is set twice"
        ),
        ("set_headers A: ", rule { $0.set("A", "x\r\nB: y") }, "a header field has no control"),
        ("set_headers A: ", rule { $0.set("A", "{{json(x)}}") }, "a JSON Pointer is empty"),
        (
            "set_headers: ",
            rule { rule in for index in 0..<65 { rule.set("A\(index)", "x") } },
            "sets at most 64 fields"
        ),
    ]

    private static let destinations: [Case] = [
        (
            "to: ", rule { $0.to = "{{json(/a)}}.b" },
            "the first token of a subject must be literal"
        ),
        ("to: ", rule { $0.to = "$1.b" }, "the first token of a subject must be literal: $1.b"),
        (
            "to: ", rule { $0.to = "$JS.API.x" },
            "subjects that begin with $ are the server's own"
        ),
        ("to: ", rule { $0.to = "$SYS.x" }, "subjects that begin with $ are the server's own"),
        (
            "to: ", rule { $0.to = "_INBOX.x" },
            "subjects that begin with _INBOX are for answers"
        ),
        ("to: ", rule { $0.to = "a.$2" }, "the rule's subject has no wildcard 2: a.$2"),
        ("to: ", rule { $0.to = "a.{{split(1,-)}}" }, "the function split is not known"),
        (
            "to: ", rule { $0.to = "a.{{SplitFromLeft(1,2)}}" },
            "the function splitfromleft is not known"
        ),
        ("to: ", rule { $0.to = "a.{{partition()}}" }, "partition has a number of partitions"),
        (
            "to: ", rule { $0.to = "a.{{partition(0,1)}}" },
            "partition has a number of partitions"
        ),
        (
            "to: ", rule { $0.to = "a.{{partition(5,2)}}" },
            "the rule's subject has no wildcard 2"
        ),
        ("to: ", rule { $0.to = "a.{{partition(5,)}}" }, "the rule's subject has no wildcard"),
        (
            "to: ", rule { $0.to = String(repeating: "a", count: 4_097) },
            "a template has at most"
        ),
        (
            "to: ", rule { $0.destinations = [.init(template: "a", weight: 0)] },
            "a weight is 1 to 1000000: 0"
        ),
        (
            "to: ", rule { $0.destinations = [.init(template: "a", weight: 1_000_001)] },
            "a weight is 1 to 1000000: 1000001"
        ),
        (
            "to: ",
            rule {
                $0.destinations = [
                    .init(template: "a", weight: 1_000_000), .init(template: "b", weight: 1),
                ]
            }, "the weights add up to 1000001, more than 1000000"
        ),
        (
            "to: ",
            rule { $0.destinations = (0..<101).map { .init(template: "a\($0)", weight: 1) } },
            "has at most 100 destinations"
        ),
    ]

    private static let replies: [Case] = [
        ("payload: ", rule { $0.payload = "x" }, "a JSON Pointer is empty or begins with /: x"),
        ("reply a: ", rule { $0.reply = [.init(name: "a", value: "x")] }, "a JSON Pointer is"),
        (
            "reply: ",
            rule { $0.reply = [.init(name: "a", value: "/x"), .init(name: "a", value: "/y")] },
            "two members of a reply have the same name"
        ),
        (
            "reply: ",
            rule { $0.reply = (0..<257).map { .init(name: "a\($0)", value: "/x") } },
            "has at most 256 members"
        ),
        (
            "reply: ",
            rule {
                $0.reply = []
                $0.to = "a"
            }, "answers the message, so to, payload and set_headers have no effect"
        ),
        (
            "reply: ",
            rule {
                $0.reply = []
                $0.goesOn = true
            }, "ends the message, so next has no effect"
        ),
        ("dead_letter: ", rule { $0.deadLetter = "$JS.x" }, "subjects that begin with $"),
        (
            "dead_letter: ",
            rule {
                $0.deadLetter = "dead"
                $0.invalidAction = .pass
            }, "has no effect where what is not valid passes"
        ),
        (
            "",
            rule { rule in
                rule.reply = (0..<256).map { .init(name: "a\($0)", value: "/x\($0)") }
                let pointers = (0..<257).map { "\"/y\($0)\":[1]" }
                rule.when = "{\"$or\":[{\(pointers[..<200].joined(separator: ","))}]}"
                rule.deadLetter = "a" + (0..<57).map { ".{{json(/z\($0))}}" }.joined()
            }, "a rule has at most 512 pointers"
        ),
    ]

    @Test("what is wrong with one rule", arguments: names + parts + destinations + replies)
    func saysWhat(what: String, rule: RuleDefinition, error: String) {
        let found = errors(rule)
        #expect(found.count == 1, "\(found)")
        let begin = "rules.conf:3:5: rule \(rule.name): \(what)\(error)"
        #expect(found.first?.hasPrefix(begin) == true, "\(found)")
    }

    @Test("several at once, those of schemas with their files")
    func several() {
        var definition = RuleSetDefinition()
        definition.schemas = [
            .init(name: "bad", path: "bad.json", text: Array(#"{"type":"no"}"#.utf8)),
            .init(name: "b d", path: "name.json", text: Array("true".utf8)),
            .init(name: "twice", path: "one.json", text: Array("true".utf8)),
            .init(name: "twice", path: "two.json", text: Array("true".utf8)),
        ]
        definition.rules = [
            rule("a") {
                $0.validation = .schema("bad")
                $0.to = "$1"
                $0.payload = "x"
            }, rule("b"), rule("b") { $0.position = "" },
        ]
        let found = errors(definition)
        let begins = [
            "bad.json: #: type: ", "name.json: schema b d: a name has",
            "two.json: there is another",
            "rules.conf:3:5: rule a: to: ", "rules.conf:3:5: rule a: payload: ",
            "rule b: there is another rule with this name at rules.conf:3:5",
        ]
        #expect(found.count == begins.count, "\(found)")
        for (error, begin) in zip(found, begins) { #expect(error.hasPrefix(begin), "\(error)") }
    }

    @Test("without header blocks, what needs them is an error")
    func withoutHeaders() {
        var definition = RuleSetDefinition()
        definition.supportsHeaders = false
        definition.rules = [
            rule("fine") { $0.to = "a" }, rule("set") { $0.set("A", "x") },
            rule("asks") { $0.to = "a.{{ Header (X) }}" },
            rule("dead") { $0.deadLetter = "dead" },
        ]
        #expect(
            errors(definition) == [
                "rules.conf:3:5: rule set: set_headers: has no effect with no_header_support",
                "rules.conf:3:5: rule asks: to: there is no header field with no_header_support:"
                    + " a.{{ Header (X) }}",
            ])
        definition.rules = [definition.rules[0], definition.rules[3]]
        #expect(
            (try? RuleSet(definition))?.warnings == [
                "rules.conf:3:5: rule dead: dead_letter: is sent without its header fields with"
                    + " no_header_support"
            ])
    }

    @Test("an answer that may go to what a rule is for is a note")
    func answers() throws {
        var definition = RuleSetDefinition()
        let ask = rule("ask", "svc.*") { $0.reply = [.init(name: "a", value: "/a")] }
        definition.rules = [ask]
        #expect(try RuleSet(definition).notes.isEmpty)
        definition.rules = [
            ask, rule("off") { $0.mode = .off }, rule("other") { $0.account = "A" },
        ]
        #expect(try RuleSet(definition).notes.isEmpty)
        definition.rules.append(rule("orders"))
        #expect(
            try RuleSet(definition).notes == [
                "rules.conf:3:5: rule ask: whoever asks chooses the reply subject, so an answer can be"
                    + " published to `orders.*` without passing rule orders"
            ])
    }

    @Test("errors of rules that are off are found too")
    func off() {
        let off = rule {
            $0.mode = .off
            $0.to = "$1"
        }
        #expect(errors(off).count == 1)
    }

    @Test("there are at most 10,000 rules")
    func tooMany() throws {
        var definition = RuleSetDefinition()
        definition.rules = (0..<10_000).map { rule("r\($0)", "s\($0)") }
        #expect(errors(definition).isEmpty)
        definition.rules.append(rule("last"))
        #expect(
            errors(definition) == [
                "rules.conf:3:5: rule last: there are 10001 rules; a set has at most 10000"
            ])
    }

    @Test("unknown keywords are warnings, or errors on demand")
    func warnings() throws {
        var definition = RuleSetDefinition()
        definition.schemas = [
            .init(name: "s", path: "s.json", text: Array(#"{"minimun":1}"#.utf8))
        ]
        let warnings = try RuleSet(definition).warnings
        #expect(warnings.count == 1 && warnings[0].hasPrefix("s.json: "))
        definition.refusesUnknownKeywords = true
        #expect(errors(definition).count == 1)
    }

    @Test("formats are checked on demand")
    func formats() throws {
        var definition = RuleSetDefinition()
        definition.schemas = [
            .init(name: "s", path: "s.json", text: Array(#"{"format":"uuid"}"#.utf8))
        ]
        definition.rules = [rule { $0.validation = .schema("s") }]
        #expect(try RuleSetUnderTest(definition).send("orders.1", "\"x\"").verdict.code == 0)
        definition.assertsFormat = true
        #expect(try RuleSetUnderTest(definition).send("orders.1", "\"x\"").verdict.code == 422)
    }

    @Test("an empty set is a set, and limits are brought into their bounds")
    func empty() throws {
        var definition = RuleSetDefinition()
        definition.limits.depthMax = 1 << 30
        let set = try RuleSetUnderTest(definition)
        #expect(set.set.ruleCount == 0 && set.set.limits.depthMax == 1_024)
        #expect(set.firstRule("a") == -1)
        #expect(set.send("a").verdict == RuleVerdict(.pass))
    }
}
