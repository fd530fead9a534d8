import MartletTestSupport
import Testing

@testable import MartletRules

@Suite("Schemas are checked when they are read")
struct SchemaCompilerTests {
    private func error(
        _ text: String, _ change: (inout SchemaOptions) -> Void = { _ in }
    ) -> String? {
        var options = SchemaOptions()
        change(&options)
        do {
            _ = try JSONSchema(Array(text.utf8), file: "order.json", options: options)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        (#"{"#, "order.json: #: is not JSON: unexpected_end at byte 1"),
        (#"[]"#, "order.json: #: a schema is an object or a boolean"),
        (#"{"type":"text"}"#, "order.json: #: type: is not text"),
        (
            #"{"properties":{"a":{"minLength":-1}}}"#,
            "order.json: #/properties/a: minLength: is an integer from zero on"
        ),
        (#"{"minLength":1.5}"#, "order.json: #: minLength: is an integer from zero on"),
        (#"{"allOf":[]}"#, "order.json: #: allOf: is not empty"),
        (#"{"allOf":{}}"#, "order.json: #: allOf: is a list of schemas"),
        (#"{"not":1}"#, "order.json: #: not: has something that is no schema"),
        (#"{"required":"a"}"#, "order.json: #: required: is a list of names"),
        (#"{"required":[1]}"#, "order.json: #: required: is a list of names"),
        (#"{"multipleOf":0}"#, "order.json: #: multipleOf: is greater than zero"),
        (
            #"{"$ref":"other.json"}"#,
            "order.json: #: $ref: other.json cannot be resolved within this file"
        ),
        (
            ##"{"$ref":"#/$defs/a"}"##,
            "order.json: #: $ref: #/$defs/a cannot be resolved within this file"
        ),
        (##"{"$ref":"#"}"##, "order.json: #: $ref: applies itself to the same value without end"),
        (
            ##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}},"$ref":"#/$defs/a"}"##,
            "order.json: #/$defs/a: $ref: applies itself to the same value without end"
        ),
        (
            #"{"dependencies":{}}"#,
            "order.json: #: dependencies: belongs to an older draft; draft 2020-12 has another keyword for it"
        ),
        (
            ##"{"$schema":"http://json-schema.org/draft-07/schema#"}"##,
            "order.json: #: $schema: is draft 2020-12, not http://json-schema.org/draft-07/schema#"
        ),
        (
            #"{"pattern":"(?=a)"}"#,
            "order.json: #: pattern: look-around, which cannot be used, in the pattern (?=a)"
        ),
        (
            #"{"patternProperties":{"(":true}}"#,
            "order.json: #: patternProperties: a group without end in the pattern ("
        ),
        (#"{"items":[{}]}"#, "order.json: #: items: has something that is no schema"),
        (#"{"uniqueItems":1}"#, "order.json: #: uniqueItems: is true or false"),
        (##"{"$id":"a#b"}"##, "order.json: #: $id: has no fragment"),
        (
            #"{"type":"string","type":"number"}"#,
            "order.json: #: is not JSON: duplicate_key at byte 17"
        ),
        (#"{"type":[]}"#, "order.json: #/type: must not have fewer than 1 (draft 2020-12)"),
        (
            #"{"type":["string","string"]}"#,
            "order.json: #/type: must have no equal elements (draft 2020-12)"
        ),
        (
            #"{"required":["a","b","a"]}"#,
            "order.json: #/required: must have no equal elements (draft 2020-12)"
        ),
        (
            #"{"dependentRequired":{"a":["b","b"]}}"#,
            "order.json: #/dependentRequired/a: must have no equal elements (draft 2020-12)"
        ),
        (
            #"{"items":{"prefixItems":[]}}"#,
            "order.json: #/items/prefixItems: must not have fewer than 1 (draft 2020-12)"
        ),
        (#"{"$anchor":"1a"}"#, "order.json: #/$anchor: must match the pattern (draft 2020-12)"),
        (#"{"$anchor":"a b"}"#, "order.json: #/$anchor: must match the pattern (draft 2020-12)"),
        (#"{"$comment":1}"#, "order.json: #/$comment: must be of another type (draft 2020-12)"),
        (#"{"title":[]}"#, "order.json: #/title: must be of another type (draft 2020-12)"),
        (#"{"examples":{}}"#, "order.json: #/examples: must be of another type (draft 2020-12)"),
        (
            #"{"deprecated":"no"}"#,
            "order.json: #/deprecated: must be of another type (draft 2020-12)"
        ),
        (#"{"$defs":[]}"#, "order.json: #/$defs: must be of another type (draft 2020-12)"),
        (#"{"then":5}"#, "order.json: #/then: a schema is an object or a boolean"),
        (#"{"minContains":-1}"#, "order.json: #/minContains: must be >= 0 (draft 2020-12)"),
        (
            #"{"$vocabulary":{"a":1}}"#,
            "order.json: #/$vocabulary/a: must be of another type (draft 2020-12)"
        ),
        (#"{"$defs":{"x":{"type":"text"}}}"#, "order.json: #/$defs/x: type: is not text"),
        (
            #"{"$defs":{"x":{"pattern":"("}}}"#,
            "order.json: #/$defs/x: pattern: a group without end in the pattern ("
        ),
        (
            ##"{"$defs":{"x":{"$ref":"#/no"}}}"##,
            "order.json: #/$defs/x: $ref: #/no cannot be resolved within this file"
        ),
        (
            #"{"$defs":{"x":{"$anchor":"a"},"y":{"$anchor":"a"}}}"#,
            "order.json: #/$defs/y: $anchor: is the name of another schema too"
        ),
        (
            #"{"$defs":{"x":{"$id":"urn:a"},"y":{"$id":"urn:a"}}}"#,
            "order.json: #/$defs/y: $id: is the name of another schema too"
        ),
    ])
    func errorsSayWhere(text: String, message: String) {
        #expect(error(text) == message)
    }

    @Test("an unknown keyword is a warning, or an error where that is asked for")
    func unknownKeywords() throws {
        let text = #"{"properties":{"a":{"minimun":1,"title":"A"}}}"#
        let schema = try JSONSchema(Array(text.utf8), file: "order.json")
        #expect(
            schema.warnings == [
                "order.json: #/properties/a: minimun: is not a keyword of draft 2020-12 and has no effect"
            ])
        #expect(
            error(text) { $0.refusesUnknownKeywords = true }
                == "order.json: #/properties/a: minimun: is not a keyword of draft 2020-12")
    }

    @Test func formatIsCheckedOnlyIfAskedFor() {
        #expect(error(#"{"format":"hostname"}"#) == nil)
        #expect(
            error(#"{"format":"hostname"}"#) { $0.assertsFormat = true }
                == "order.json: #: format: cannot check hostname")
    }

    @Test(arguments: [
        ("ada@example.com", true), ("ada.b+c@mail.example.com", true), ("@example.com", false),
        ("ada@", false), ("ada..b@example.com", false), (".ada@example.com", false),
        ("ada@-x.com", false),
        ("ada@x-.com", false), ("ada@x..com", false), ("ada", false), ("a b@example.com", false),
        ("ada@example.com\\u0000", false), ("\\u0061da@example.com", true),
        (#"\"joe bloggs\"@example.com"#, true), (#"\"joe..b@x\"@example.com"#, true),
        (#"\"\"@example.com"#, true), (#"\"a\\\"b\"@example.com"#, true),
        (#"\"a\"b\"@example.com"#, false), (#"\"a\\\"@example.com"#, false),
        (#"\"a\"@"#, false), (#"\"a\u0001\"@example.com"#, false), (#"\"é\"@example.com"#, false),
        (#"a\"b\"@example.com"#, false), ("ada@[127.0.0.1]", true), ("ada@[127.0.0.256]", false),
        ("ada@[127.0.0.1", false), ("ada@[127.0.0.1]x", false), ("ada@[IPv6:::1]", true),
        ("ada@[ipv6:2001:db8::1]", true), ("ada@[IPv6:2001:db8::1::]", false), ("ada@[::1]", false),
        ("ada@[]", false),
    ])
    func emailAddresses(text: String, isValid: Bool) throws {
        var options = SchemaOptions()
        options.assertsFormat = true
        let schema = try JSONSchema(
            Array(#"{"format":"email"}"#.utf8), file: "a.json", options: options)
        var scratch = RuleScratch()
        #expect((validate(Array("\"\(text)\"".utf8), schema, &scratch) == .valid) == isValid)
    }

    @Test func sizeIsBounded() {
        let long = "{\"enum\":[" + (0..<100_000).map(String.init).joined(separator: ",") + "]}"
        #expect(error(long) == "order.json: #: has more than 262144 bytes")
        let many =
            "{\"allOf\":[" + (0..<9_000).map { "{\"minimum\":\($0)}" }.joined(separator: ",") + "]}"
        #expect(
            error(many)?.contains("may take 9002 steps for one value") == true,
            "\(error(many) ?? "")")
        let wide =
            "{\"prefixItems\":["
            + (0..<100).map { _ in "{\"minimum\":0}" }.joined(separator: ",") + "]}"
        #expect(error(wide) == nil)
        #expect(
            error(wide) { $0.limits.stepsMax = 150 }?.contains("makes the schema too large") == true
        )
    }
}
