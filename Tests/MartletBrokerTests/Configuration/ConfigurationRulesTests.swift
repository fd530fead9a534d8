import MartletRules
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("The rules block")
struct ConfigurationRulesTests {
    private func rules(_ text: String) throws -> RulesConfiguration {
        try #require(ConfigurationUnderTest.configure(text).rules)
    }

    private func rule(_ text: String) throws -> RuleDefinition {
        try #require(rules("rules { r { subject: a, \(text) } }").definition.rules.first)
    }

    // MARK: For all rules

    @Test("without the block there are no rules, an empty one has the defaults")
    func defaults() throws {
        var configuration = BrokerConfiguration()
        try ConfigurationUnderTest.parse("port: 1").apply(to: &configuration)
        #expect(configuration.rules == nil)
        let rules = try rules("rules {}")
        #expect(rules == RulesConfiguration())
        #expect(rules.workerCount == nil)
        #expect(rules.queueJobsMax == 4_096)
        #expect(rules.order == .publisher)
        #expect(rules.inlineBytesMax == 8_192)
        #expect(rules.definition.limits.payloadBytesMax == 262_144)
        #expect(!rules.definition.passesOversize)
    }

    struct Key: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let set: @Sendable (inout RulesConfiguration) -> Void

        init(_ text: String, _ set: @escaping @Sendable (inout RulesConfiguration) -> Void) {
            testDescription = text
            self.set = set
        }
    }

    @Test(
        "each key for all rules sets its field and no other",
        arguments: [
            Key("workers: 3") { $0.workerCount = 3 }, Key("workers: 0") { $0.workerCount = 0 },
            Key("Workers: AUTO") { $0.workerCount = nil },
            Key("max_queue: 64") { $0.queueJobsMax = 64 },
            Key("order: none") { $0.order = .none },
            Key("order: Publisher") { $0.order = .publisher },
            Key("inline_below: 4KB") { $0.inlineBytesMax = 4_096 },
            Key("inline_below: 0") { $0.inlineBytesMax = 0 },
            Key("max_depth: 9") { $0.definition.limits.depthMax = 9 },
            Key("max_payload: 1MB") { $0.definition.limits.payloadBytesMax = 1_048_576 },
            Key("max_fields: 10k") { $0.definition.limits.fieldsMax = 10_000 },
            Key("max_key: 64") { $0.definition.limits.keyBytesMax = 64 },
            Key("max_digits: 20") { $0.definition.limits.numberDigitsMax = 20 },
            Key("oversize: pass") { $0.definition.passesOversize = true },
            Key("oversize: reject") { $0.definition.passesOversize = false },
            Key("strict_schema: true") { $0.definition.refusesUnknownKeywords = true },
            Key("assert_format: on") { $0.definition.assertsFormat = true },
        ])
    func keys(key: Key) throws {
        var expected = RulesConfiguration()
        key.set(&expected)
        #expect(try rules("rules { \(key.testDescription) }") == expected)
    }

    // MARK: One rule

    @Test("a rule says its name, subject, place and nothing else by itself")
    func plainRule() throws {
        let rules = try rules("rules {\n  Orders { Subject: \"orders.*\" }\n b { subject: b }\n}")
        #expect(
            rules.definition.rules == [
                RuleDefinition(name: "Orders", subject: "orders.*", position: "x.conf:2:3"),
                RuleDefinition(name: "b", subject: "b", position: "x.conf:3:2"),
            ])
    }

    struct Part: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let set: @Sendable (inout RuleDefinition) -> Void

        init(_ text: String, _ set: @escaping @Sendable (inout RuleDefinition) -> Void) {
            testDescription = text
            self.set = set
        }
    }

    @Test(
        "each part of a rule sets its field and no other",
        arguments: [
            Part("account: A") { $0.account = "A" }, Part("account: '$G'") { $0.account = nil },
            Part("validate: json") { $0.validation = .json },
            Part("validate: { json: strict }") { $0.validation = .json },
            Part("when: '{}', else: next") {
                $0.condition = Array("{}".utf8)
                $0.otherwise = .next
            },
            Part("when: '{}', else: Drop") {
                $0.condition = Array("{}".utf8)
                $0.otherwise = .drop
            },
            Part("set_headers: { X-Tier: \"{{json(/t)}}\", b: 'x' }") {
                $0.headers = [
                    .init(name: "X-Tier", value: "{{json(/t)}}"), .init(name: "b", value: "x"),
                ]
            },
            Part("to: \"b.{{json(/c)}}\"") {
                $0.destinations = [.init(template: "b.{{json(/c)}}")]
            },
            Part("to: [ { destination: b, weight: 30% }, { dest: c, Weight: 70 } ]") {
                $0.destinations = [
                    .init(template: "b", weight: 30), .init(template: "c", weight: 70),
                ]
            },
            Part("payload: '/items'") { $0.payload = "/items" },
            Part("reply: { pick: { Id: '/id', tier: '/c/t' } }") {
                $0.reply = [.init(name: "Id", value: "/id"), .init(name: "tier", value: "/c/t")]
            },
            Part("on_invalid: drop") { $0.invalidAction = .drop },
            Part("on_invalid: pass") { $0.invalidAction = .pass },
            Part("on_invalid: { action: drop, dead_letter: 'dlq.a', reply: false }") {
                $0.invalidAction = .drop
                $0.deadLetter = "dlq.a"
                $0.repliesToInvalid = false
            },
            Part("mode: shadow") { $0.mode = .shadow }, Part("mode: off") { $0.mode = .off },
            Part("mode: 'off'") { $0.mode = .off }, Part("next: true") { $0.goesOn = true },
        ])
    func parts(part: Part) throws {
        var expected = RuleDefinition(name: "r", subject: "a", position: "x.conf:1:8")
        part.set(&expected)
        #expect(try rule(part.testDescription) == expected)
    }

    // MARK: Conditions

    @Test(
        "`when` becomes JSON that says the same",
        arguments: [
            (#"{ "/Tier": ["gold", vip] }"#, #"{"/Tier":["gold","vip"]}"#),
            (#"{ /n: 1e3, /b: [true, false] }"#, #"{"/n":1e3,"/b":[true,false]}"#),
            (#"{ "/f": [0.5, -3, 100.0] }"#, #"{"/f":[0.5,-3,100.0]}"#),
            (#"{ "/f": [9007199254740993.5, 2E-7] }"#, #"{"/f":[9007199254740993.5,2E-7]}"#),
            (#"{ "/c": ["NO", SE, 5a, 1.2.3] }"#, #"{"/c":["NO","SE","5a","1.2.3"]}"#),
            (#"{ "/x": [{exists: false}] }"#, #"{"/x":[{"exists":false}]}"#),
            (#"{ "/x": [null, "null", 'null'] }"#, #"{"/x":[null,"null","null"]}"#),
            (#"{ /x: null }"#, #"{"/x":null}"#),
            (#"{ "/x": ["a\"b\\c\n"] }"#, #"{"/x":["a\"b\\c\n"]}"#),
            (#"'{"/x": [1e3]}'"#, #"{"/x": [1e3]}"#),
            (
                #"{ $or: [ { "/a": [1] }, { "/b": [{prefix: nullable}] } ] }"#,
                #"{"$or":[{"/a":[1]},{"/b":[{"prefix":"nullable"}]}]}"#
            ),
        ])
    func condition(text: String, json: String) throws {
        let condition = try #require(rule("when: \(text)").condition)
        #expect(String(decoding: condition, as: UTF8.self) == json)
    }

    @Test("a comparison keeps its sign, whatever the escapes")
    func comparison() throws {
        let condition = try rule("when: { /t: [{ numeric: [\">=\", 100] }] }").condition
        let text = String(decoding: try #require(condition), as: UTF8.self)
        #expect(text == #"{"/t":[{"numeric":["\u003e=",100]}]}"#)
    }

    // MARK: Files and variables

    @Test("rules may come from an included file, whose directory the schemas are found from")
    func included() throws {
        let directory = try TemporaryDirectory([
            "main": "include sub/rules.conf",
            "sub/rules.conf": "rules {\n schemas { Order: \"o.json\" }\n r { subject: a } }",
            "sub/o.json": "{\"type\": \"object\"}",
        ])
        var configuration = BrokerConfiguration()
        try directory.load().apply(to: &configuration)
        let definition = try #require(configuration.rules?.definition)
        #expect(
            definition.schemas == [
                .init(
                    name: "Order", path: "\(directory.path)/sub/o.json",
                    text: Array("{\"type\": \"object\"}".utf8))
            ])
        #expect(definition.rules[0].position == "\(directory.path)/sub/rules.conf:3:2")
    }

    @Test("a schema's path with a slash in front is taken as it is")
    func absolute() throws {
        let directory = try TemporaryDirectory(["o.json": "{}"])
        let path = "\(directory.path)/o.json"
        let schemas = try rules("rules { schemas { o: \"\(path)\" } }").definition.schemas
        #expect(schemas.map(\.path) == [path])
    }

    @Test("a schema may have 256 KB")
    func schemaSize() throws {
        let text = "{}" + String(repeating: " ", count: 262_142)
        let directory = try TemporaryDirectory(["fits": text, "large": text + " "])
        _ = try rules("rules { schemas { o: '\(directory.path)/fits' } }")
        #expect(
            ConfigurationUnderTest.failure("rules { schemas { o: '\(directory.path)/large' } }")
                == "x.conf:1:18: schema \"o\": \(directory.path)/large: a schema may have 262144 "
                + "bytes, this one has more")
    }

    @Test("what a variable names is a part for rules, not a rule")
    func variables() throws {
        let rules = try rules(
            "rules { common { X: y }, LIMIT: 7, max_depth: $LIMIT"
                + "\n r { subject: a, set_headers: $common } }")
        #expect(rules.definition.rules.map(\.name) == ["r"])
        #expect(rules.definition.rules[0].headers == [.init(name: "X", value: "y")])
        #expect(rules.definition.limits.depthMax == 7)
    }

    @Test("a rule of an account that cannot be there is warned of")
    func account() throws {
        #expect(
            try ConfigurationUnderTest.warnings("rules { r { subject: a, account: A } }") == [
                "x.conf:1:24: invalid use of field \"account\": there is no account \"A\", so the "
                    + "rule is for nobody"
            ])
        #expect(
            try ConfigurationUnderTest.warnings("rules { r { subject: a, account: '$G' } }") == [])
    }
}
