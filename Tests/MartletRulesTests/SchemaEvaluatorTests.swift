import MartletTestSupport
import Testing

@testable import MartletRules

@Suite("Schemas are evaluated exactly, in bounded time")
struct SchemaEvaluatorTests {
    private func outcome(_ schema: String, _ document: String) throws -> SchemaOutcome? {
        var scratch = RuleScratch()
        return validate(
            Array(document.utf8), try JSONSchema(Array(schema.utf8), file: "schema.json"), &scratch)
    }

    @Test(
        "numbers compare as written, digit by digit",
        arguments: [
            (#"{"const":1}"#, "1.0", true), (#"{"const":1}"#, "10e-1", true),
            (#"{"const":1}"#, "0.1e1", true),
            (#"{"const":0}"#, "-0.0e5", true),
            (#"{"const":9007199254740993}"#, "9007199254740992", false),
            (#"{"const":0.1}"#, "0.10000000000000000001", false),
            (#"{"minimum":0.1}"#, "0.09999999999999999999", false),
            (#"{"minimum":1e300}"#, "1e299", false), (#"{"minimum":1e-300}"#, "1e-299", true),
            (#"{"maximum":-5}"#, "-5.0000000000000000000000001", true),
            (#"{"exclusiveMaximum":100}"#, "1e2", false),
            (#"{"exclusiveMinimum":-1}"#, "-0.99", true), (#"{"multipleOf":0.01}"#, "19.99", true),
            (#"{"multipleOf":0.01}"#, "19.999", false), (#"{"multipleOf":0.1}"#, "1e22", true),
            (#"{"multipleOf":3}"#, "1e30", false),
            (#"{"multipleOf":7}"#, "1234567890123456789012345678901234567", false),
            (#"{"multipleOf":7}"#, "777777777777777777777777777777777777777", true),
            (#"{"multipleOf":1e-9}"#, "0", true),
            (#"{"type":"integer"}"#, "1.50e1", true), (#"{"type":"integer"}"#, "1.55e1", false),
            (#"{"type":"integer"}"#, "123456789.000", true), (#"{"type":"integer"}"#, "0.0", true),
            (#"{"enum":[1,2.50]}"#, "25e-1", true), (#"{"uniqueItems":true}"#, "[1,1.0]", false),
            (#"{"uniqueItems":true}"#, "[100,1e2]", false),
            (#"{"uniqueItems":true}"#, "[0,-0]", false),
            (#"{"uniqueItems":true}"#, #"[{"a":1,"b":2},{"b":2,"a":1.0}]"#, false),
            (#"{"uniqueItems":true}"#, #"["a","\u0061"]"#, false),
            (#"{"uniqueItems":true}"#, "[[1],[2],[1,2]]", true),
            (#"{"minLength":2,"maxLength":2}"#, #""\ud83d\ude00é""#, true),
            (#"{"maxLength":1}"#, #""e\u0301""#, false),
            (#"{"const":"a\u0062"}"#, #""\u0061b""#, true),
            (#"{"required":["\u0061"]}"#, #"{"a":1}"#, true),
            (#"{"properties":{"a":{"type":"null"}}}"#, #"{"\u0061":1}"#, false),
        ] as [(String, String, Bool)])
    func numbersAndStrings(schema: String, document: String, isValid: Bool) throws {
        let found = try #require(try outcome(schema, document))
        #expect((found == .valid) == isValid, "\(found)")
    }

    @Test(
        "random decimals compare as their expansions do", arguments: 1...20 as ClosedRange<UInt64>)
    func decimals(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var scratch = RuleScratch()
        let stack = ValueStack(depth: 1)
        defer { stack.free() }
        for _ in 0..<200 {
            let (a, aValue) = Self.randomDecimal(&random)
            let (b, bValue) = Self.randomDecimal(&random)
            let text = Array("[\(a),\(b)]".utf8)
            scan(text, in: &scratch) { outcome in
                guard case .document(let document) = outcome else {
                    return #expect(Bool(false), "\(a) \(b)")
                }
                let values = Values(bytes: document.bytes, tape: document.tape)
                var work = Work(1_000)
                let expected = aValue < bValue ? -1 : aValue == bValue ? 0 : 1
                #expect(
                    values.compare(document.entry(1), values, document.entry(2), &work) == expected,
                    "\(a) \(b)")
                #expect(
                    values.isInteger(document.entry(1)) == aValue.isMultiple(of: 10_000), "\(a)")
                if aValue == bValue {
                    #expect(
                        values.hash(1, .process, stack, &work)
                            == values.hash(2, .process, stack, &work))
                }
            }
        }
    }

    /// A number in some notation, and ten thousand times its value.
    private static func randomDecimal(_ random: inout SeededRandom) -> (String, Int) {
        let value = random.below(3) == 0 ? random.below(30) * 1_000 : random.below(2_000_000)
        let isNegative = random.below(3) == 0
        let places = random.below(5)
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        // value / 10000 written with the point moved and the exponent making up for it.
        let digits = String(value)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        let whole = padded.dropLast(places)
        let fraction = padded.suffix(places)
        var text = whole + (places > 0 ? "." + fraction : "")
        text += random.pick(["e", "E"]) + String(places - 4)
        return ((isNegative ? "-" : "") + text, isNegative ? -value : value)
    }

    @Test("bounds hold as numbers are ordered", arguments: 1...20 as ClosedRange<UInt64>)
    func bounds(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<50 {
            let bound = random.below(7) - 3
            // Hundredths around the bound, written with up to four places.
            let value = 100 * bound + (random.below(3) == 0 ? 0 : random.below(300) - 150)
            let fraction =
                String(abs(value) % 100 + 100).dropFirst() + random.pick(["", "0", "00"])
            let whole = "\(value < 0 ? "-" : "")\(abs(value) / 100)"
            let text = value % 100 == 0 && random.below(2) == 0 ? whole : "\(whole).\(fraction)"
            let expected = [
                "minimum": value >= 100 * bound, "maximum": value <= 100 * bound,
                "exclusiveMinimum": value > 100 * bound, "exclusiveMaximum": value < 100 * bound,
            ]
            for (keyword, isValid) in expected {
                let found = try outcome("{\"\(keyword)\":\(bound)}", text)
                #expect((found == .valid) == isValid, "seed \(seed): \(keyword) \(bound), \(text)")
            }
        }
    }

    @Test(
        "members are known by their whole names",
        arguments: [
            (#"{"properties":{"abcdefgh1":{"type":"null"}}}"#, #"{"abcdefgh2":1}"#, true),
            (#"{"properties":{"abcdefgh1":{"type":"null"}}}"#, #"{"abcdefgh1":1}"#, false),
            (#"{"properties":{"abcdefgh":{"type":"null"}}}"#, #"{"abcdefgh":1}"#, false),
            (#"{"properties":{"":{"type":"null"}}}"#, #"{"":1}"#, false),
            (#"{"properties":{"a":true},"additionalProperties":false}"#, #"{"a\u0000":1}"#, false),
            (#"{"required":["a"],"additionalProperties":{"type":"null"}}"#, #"{"a":1}"#, false),
            (#"{"required":["a"],"additionalProperties":{"type":"null"}}"#, #"{"a":null}"#, true),
            (
                #"{"required":["a"],"patternProperties":{"a":{}},"additionalProperties":false}"#,
                #"{"a":1}"#, true
            ),
            (
                #"{"required":["a"],"unevaluatedProperties":false,"additionalProperties":{}}"#,
                #"{"a":1}"#, true
            ),
        ] as [(String, String, Bool)])
    func names(schema: String, document: String, isValid: Bool) throws {
        #expect((try outcome(schema, document) == .valid) == isValid)
    }

    @Test("a reference alone is the schema that it names, however many lie between")
    func referencesAlone() throws {
        let schema =
            ##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/c"},"c":{"type":"string","minLength":2}},"##
            + ##""properties":{"x":{"$ref":"#/$defs/a"},"y":{"$ref":"#/$defs/a","maxLength":3}}}"##
        for (document, isValid) in [
            (#"{"x":"ab"}"#, true), (#"{"x":"a"}"#, false), (#"{"x":1}"#, false),
            (#"{"y":"abc"}"#, true), (#"{"y":"abcd"}"#, false), (#"{"y":1}"#, false),
        ] {
            #expect((try outcome(schema, document) == .valid) == isValid, "\(document)")
        }
        // All kinds of values, but of numbers only integers.
        let types =
            ##"{"type":["null","boolean","string","array","object","integer"],"$ref":"#/$defs/any","##
            + ##""$defs":{"any":{"maxLength":9}}}"##
        #expect(try outcome(types, "1") == .valid)
        #expect(try outcome(types, "1.5") != .valid)
    }

    @Test("what every level doubles is done once")
    func workIsBounded() throws {
        var schema = #"{"$defs":{"l0":{"type":"number"}"#
        for level in 1...40 {
            schema +=
                ",\"l\(level)\":{\"anyOf\":[{\"$ref\":\"#/$defs/l\(level - 1)\"},{\"$ref\":\"#/$defs/l\(level - 1)\"}]}"
        }
        schema += "},\"$ref\":\"#/$defs/l40\"}"
        guard case .violation = try outcome(schema, "\"x\"") else {
            Issue.record("a string is no number")
            return
        }
        #expect(try outcome(schema, "1") == .valid)
        #expect(
            try outcome("{\"not\":\(schema.dropLast()),\"$id\":\"urn:x\"}}", "\"x\"") == .valid)
    }

    @Test("a schema that refers to itself goes as deep as the document")
    func recursion() throws {
        let list =
            ##"{"properties":{"next":{"$ref":"#"},"value":{"type":"number"}},"additionalProperties":false}"##
        let deep =
            String(repeating: "{\"value\":1,\"next\":", count: 31) + "{}"
            + String(repeating: "}", count: 31)
        #expect(try outcome(list, deep) == .valid)
        let wrong =
            String(repeating: "{\"value\":1,\"next\":", count: 31) + "{\"x\":1}"
            + String(repeating: "}", count: 31)
        #expect(try outcome(list, wrong) != .valid)
    }

    @Test("deeper than an evaluation may go is refused, not a crash")
    func deepRecursion() throws {
        var limits = JSONLimits()
        limits.depthMax = 1_000
        var scratch = RuleScratch(limits: limits)
        let list = ##"{"items":{"$ref":"#"},"maxItems":2}"##
        let schema = try JSONSchema(Array(list.utf8), file: "schema.json")
        for (depth, expected) in [(100, SchemaOutcome.valid), (900, .tooComplex)] {
            let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            #expect(validate(Array(text.utf8), schema, &scratch) == expected)
        }
    }

    @Test("unique elements of thousands take linear time")
    func uniqueItems() throws {
        let many = "[" + (0..<4_000).map { "{\"id\":\($0)}" }.joined(separator: ",") + "]"
        var limits = JSONLimits()
        limits.fieldsMax = 10_000
        var scratch = RuleScratch(limits: limits)
        let schema = try JSONSchema(Array(#"{"uniqueItems":true}"#.utf8), file: "schema.json")
        #expect(validate(Array(many.utf8), schema, &scratch) == .valid)
        let again = Array((many.dropLast() + #",{"id":17.0}]"#).utf8)
        guard case .violation = validate(again, schema, &scratch) else {
            Issue.record("a duplicate passed")
            return
        }
    }
}
