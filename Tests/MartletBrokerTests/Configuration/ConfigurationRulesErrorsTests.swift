import MartletRules
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("What is wrong with a rules block")
struct ConfigurationRulesErrorsTests {
    private func failure(_ text: String) -> String? { ConfigurationUnderTest.failure(text) }

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
        let directory = try TemporaryDirectory([
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
}
