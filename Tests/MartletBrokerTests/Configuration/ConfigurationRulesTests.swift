import MartletRules
import Testing

@testable import MartletBroker

@Suite("The rules block")
struct ConfigurationRulesTests {
    private func parse(_ text: String) throws(BrokerError) -> ConfigurationFile {
        try ConfigurationFile.parse(text, path: "x.conf", environment: [:])
    }

    private func rules(_ text: String) throws -> RulesConfiguration {
        var configuration = BrokerConfiguration()
        try parse(text).apply(to: &configuration)
        return try #require(configuration.rules)
    }

    private func rule(_ text: String) throws -> RuleDefinition {
        try #require(rules("rules { r { subject: a, \(text) } }").definition.rules.first)
    }

    private func failure(_ text: String) -> String? {
        var configuration = BrokerConfiguration()
        do {
            try parse(text).apply(to: &configuration)
            return nil
        } catch {
            return error.message
        }
    }

    // MARK: For all rules

    @Test("without the block there are no rules, an empty one has the defaults")
    func defaults() throws {
        var configuration = BrokerConfiguration()
        try parse("port: 1").apply(to: &configuration)
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

    // MARK: What is wrong

    @Test(
        "wrong values",
        arguments: [
            ("rules: 5", "1:0: \"rules\" takes a map, not an integer"),
            ("rules { a: 1 }", "1:8: unknown field \"a\""),
            ("rules { workers: many }", "1:8: \"workers\" takes a number or auto, not \"many\""),
            ("rules { workers { subject: a } }", "1:8: \"workers\" takes an integer, not a map"),
            ("rules { workers: 257 }", "1:8: workers value is too big"),
            ("rules { workers: -1 }", "1:8: workers value must be 0 or more, not -1"),
            ("rules { max_queue: 0 }", "1:8: max_queue value must be 1 or more, not 0"),
            ("rules { max_queue: 65537 }", "1:8: max_queue value is too big"),
            ("rules { order: any }", "1:8: \"order\" takes one of publisher, none, not \"any\""),
            ("rules { order: 1 }", "1:8: \"order\" takes one of publisher, none, not an integer"),
            ("rules { oversize: cut }", "1:8: \"oversize\" takes one of reject, pass, not \"cut\""),
            ("rules { inline_below: -1 }", "1:8: inline_below value must be 0 or more, not -1"),
            ("rules { max_depth: 1025 }", "1:8: max_depth value is too big"),
            ("rules { max_payload: 2GB }", "1:8: max_payload value is too big"),
            ("rules { max_fields: 0 }", "1:8: max_fields value must be 1 or more, not 0"),
            ("rules { max_key: 8 }", "1:8: max_key value must be 16 or more, not 8"),
            ("rules { max_digits: 1001 }", "1:8: max_digits value is too big"),
            (
                "rules { strict_schema: 1 }",
                "1:8: \"strict_schema\" takes true or false, not an integer"
            ),
            (
                "rules { assert_format: x }",
                "1:8: \"assert_format\" takes true or false, not a string"
            ),
            ("rules { schemas: x }", "1:8: \"schemas\" takes a map, not a string"),
            ("rules { schemas { o: 1 } }", "1:18: \"o\" takes a string, not an integer"),
            (
                "rules { schemas { o: 'absent.json' } }",
                "1:18: schema \"o\": open absent.json: no such file or directory"
            ),
            ("rules { r { mode: off } }", "1:8: rule \"r\" has no subject"),
            ("rules {}\nRULES {}", "2:1: \"RULES\" is given more than once"),
            ("rules {}\nrules {}", "2:1: \"rules\" is given more than once"),
            (
                "rules { r { subject: a }\n r { subject: b } }",
                "2:2: \"r\" is given more than once"
            ),
        ])
    func wrongValues(text: String, expected: String) {
        #expect(failure(text) == "x.conf:" + expected)
    }

    @Test(
        "wrong parts of a rule",
        arguments: [
            ("subject: 5", "\"subject\" takes a string, not an integer"),
            ("account: 5", "\"account\" takes a string, not an integer"),
            ("when: 5", "\"when\" takes a map, not an integer"),
            ("when: [1]", "\"when\" takes a map, not an array"),
            ("validate: xml", "\"validate\" takes json or { schema: name }, not \"xml\""),
            ("validate: 5", "\"validate\" takes json or { schema: name }, not an integer"),
            ("else: x", "\"else\" takes one of pass, drop, next, not \"x\""),
            (
                "to: 5",
                "\"to\" takes a subject or a list of { destination, weight }, not an integer"
            ),
            ("to: []", "\"to\" has no destination"),
            ("payload: 5", "\"payload\" takes a string, not an integer"),
            ("reply: '/a'", "\"reply\" takes a map, not a string"),
            ("reply: {}", "\"reply\" has no pick"),
            ("set_headers: x", "\"set_headers\" takes a map, not a string"),
            ("on_invalid: x", "\"on_invalid\" takes one of reject, drop, pass, not \"x\""),
            ("mode: x", "\"mode\" takes one of enforce, shadow, off, not \"x\""),
            ("mode: on", "\"mode\" takes one of enforce, shadow, off, not a boolean"),
            ("next: x", "\"next\" takes true or false, not a string"),
            ("foo: 1", "unknown field \"foo\""),
        ])
    func wrongParts(text: String, expected: String) {
        let subject = text.hasPrefix("subject") ? "" : "subject: a"
        #expect(failure("rules { r {\n\(text)\n\(subject) } }") == "x.conf:2:1: " + expected)
    }

    @Test(
        "wrong parts within those",
        arguments: [
            ("validate: { schema: 5 }", "\"schema\" takes a string, not an integer"),
            ("validate: { json: loose }", "\"json\" takes strict, not \"loose\""),
            ("validate: { xml: strict }", "unknown field \"xml\""),
            ("to: [ b ]", "\"to\" takes in its list only { destination, weight }, not a string"),
            ("to: [ { weight: 5 } ]", "an entry of \"to\" has no destination"),
            ("to: [ { dest: b } ]", "a destination has no weight"),
            ("to: [ { dest: b, weight: 0 } ]", "\"weight\" takes a number from 1 to 1000000"),
            (
                "to: [ { dest: b, weight: 1000001 } ]",
                "\"weight\" takes a number from 1 to 1000000"
            ),
            ("to: [ { dest: b, weight: 0% } ]", "\"weight\" takes a number from 1 to 1000000"),
            ("to: [ { dest: b, weight: x } ]", "\"weight\" takes a number from 1 to 1000000"),
            (
                "when: { /c: [NO, SE] }",
                "NO is no value of JSON: write \"NO\", or a number, true, "
                    + "false or null as JSON has them"
            ),
            (
                "when: { /c: [TRUE] }",
                "TRUE is no value of JSON: write \"TRUE\", or a number, true, "
                    + "false or null as JSON has them"
            ),
            (
                "when: { /c: off }",
                "off is no value of JSON: write \"off\", or a number, true, "
                    + "false or null as JSON has them"
            ),
            (
                "when: { /c: Null }",
                "Null is no value of JSON: write \"Null\", or a number, true, "
                    + "false or null as JSON has them"
            ),
            (
                "when: { /c: [1KB] }",
                "1KB is no value of JSON: write \"1KB\", or a number, true, "
                    + "false or null as JSON has them"
            ),
            (
                "when: { /c: [007] }",
                "007 is no value of JSON: write \"007\", or a number, true, "
                    + "false or null as JSON has them"
            ),
            ("to: [ { dest: 5, weight: 1 } ]", "\"dest\" takes a string, not an integer"),
            ("to: [ { dest: b, weight: 1, x: 1 } ]", "unknown field \"x\""),
            ("reply: { pick: 5 }", "\"pick\" takes a map, not an integer"),
            ("reply: { pick: {}, take: {} }", "unknown field \"take\""),
            ("reply: { pick: { a: 5 } }", "\"a\" takes a string, not an integer"),
            ("set_headers: { A: 5 }", "\"A\" takes a string, not an integer"),
            ("set_headers: { A: x, A: y }", "\"A\" is given more than once"),
            (
                "on_invalid: { action: x }",
                "\"action\" takes one of reject, drop, pass, not \"x\""
            ),
            ("on_invalid: { dead_letter: 5 }", "\"dead_letter\" takes a string, not an integer"),
            ("on_invalid: { reply: 5 }", "\"reply\" takes true or false, not an integer"),
            ("on_invalid: { foo: 5 }", "unknown field \"foo\""),
            ("when: { /a: [1], /a: [2] }", "\"/a\" is given more than once"),
        ])
    func wrongInnerParts(text: String, expected: String) throws {
        let message = try #require(failure("rules { r { subject: a\n\(text) } }"))
        #expect(message.hasPrefix("x.conf:2:"))
        #expect(message.split(separator: ": ", maxSplits: 1).last.map(String.init) == expected)
    }

    @Test("all errors are told at once")
    func severalErrors() {
        #expect(
            failure("rules {\n max_depth: x\n a { foo: 1, subject: 5 }\n b { mode: y }\n}")
                == """
                x.conf:2:2: "max_depth" takes an integer, not a string
                x.conf:3:6: unknown field "foo"
                x.conf:3:14: "subject" takes a string, not an integer
                x.conf:4:2: rule "b" has no subject
                """)
    }

    @Test("what only compiling shows is an error of the file too, all of it at once")
    func compiled() throws {
        let text =
            "rules {\n a { subject: \"a..b\", else: drop }\n b { subject: b }\n"
            + " c { subject: c, to: \"c.{{wildcard(1)}}\", validate: { schema: o } }\n}"
        let lines = try #require(failure(text)).split(separator: "\n")
        try #require(lines.count == 4)
        #expect(lines[0].hasPrefix("x.conf:2:2: rule a: subject: "))
        #expect(lines[1] == "x.conf:2:2: rule a: else: has no effect without when")
        #expect(lines[2...].allSatisfy { $0.hasPrefix("x.conf:4:2: rule c: ") })
    }

    @Test("a half read block is not compiled, for what it lacks is not what is wrong")
    func halfRead() {
        let text = "rules {\n schemas { o: 5 }\n r { subject: a, validate: { schema: o } } }"
        #expect(failure(text) == "x.conf:2:12: \"o\" takes a string, not an integer")
    }

    @Test("a schema's file is named with what is wrong or doubtful in it")
    func schemas() throws {
        let directory = try ConfigurationIncludeTests.Directory([
            "bad": "{\"type\": 5}", "odd": "{\"sort\": 5}",
        ])
        let bad = "rules { schemas { o: \"\(directory.path)/bad\" } }"
        #expect(failure(bad)?.hasPrefix("\(directory.path)/bad: ") == true)
        let odd = "rules { schemas { o: \"\(directory.path)/odd\" }"
        let warnings = try ConfigurationUnderTest.warnings(odd + " }")
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("\(directory.path)/odd: ") == true)
        #expect(failure(odd + ", strict_schema: true }")?.contains("sort") == true)
    }

    // MARK: Files and variables

    @Test("rules may come from an included file, whose directory the schemas are found from")
    func included() throws {
        let directory = try ConfigurationIncludeTests.Directory([
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
        let directory = try ConfigurationIncludeTests.Directory(["o.json": "{}"])
        let path = "\(directory.path)/o.json"
        let schemas = try rules("rules { schemas { o: \"\(path)\" } }").definition.schemas
        #expect(schemas.map(\.path) == [path])
    }

    @Test("a schema may have 256 KB")
    func schemaSize() throws {
        let text = "{}" + String(repeating: " ", count: 262_142)
        let directory = try ConfigurationIncludeTests.Directory(["fits": text, "large": text + " "])
        _ = try rules("rules { schemas { o: '\(directory.path)/fits' } }")
        #expect(
            failure("rules { schemas { o: '\(directory.path)/large' } }")
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
