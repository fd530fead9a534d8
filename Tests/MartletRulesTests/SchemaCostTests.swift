import Testing

@testable import MartletRules

@Suite("Every accepted schema has work enough for honest documents")
struct SchemaCostTests {
    private func outcome(
        _ schema: String, _ document: String, steps: inout Int, limits: JSONLimits = JSONLimits()
    ) throws -> SchemaOutcome? {
        var scratch = RuleScratch(limits: limits)
        let compiled = try JSONSchema(Array(schema.utf8), file: "schema.json")
        let found = validate(Array(document.utf8), compiled, &scratch)
        steps = scratch.stepsSpent
        return found
    }

    private func isValid(_ schema: String, _ document: String) throws -> Bool {
        var steps = 0
        let found = try #require(try outcome(schema, document, steps: &steps))
        #expect(found != .tooComplex, "\(schema.prefix(100))")
        return found == .valid
    }

    @Test("patterns of counted repetitions, as long as they allow")
    func countedPatterns() throws {
        let hex = #"{"pattern":"^([0-9a-f]{2}){1,512}$"}"#
        #expect(try isValid(hex, "\"" + String(repeating: "0f", count: 512) + "\""))
        #expect(try !isValid(hex, "\"" + String(repeating: "0f", count: 513) + "\""))
        #expect(try !isValid(hex, "\"" + String(repeating: "0f", count: 511) + "0g\""))
        let email = #"{"pattern":"^.{1,255}@.{1,255}\\.[a-z]{2,24}$"}"#
        let name = String(repeating: "a.@", count: 85)
        #expect(try isValid(email, "\"\(name)@\(name).example\""))
        #expect(try !isValid(email, "\"\(name)@\(name)\(name).example\""))
        #expect(try !isValid(email, "\"\(name)@\(name).exampl3\""))
        #expect(
            try isValid(
                #"{"pattern":"^.{1,1000}$"}"#, "\"" + String(repeating: "é", count: 1_000) + "\""))
        #expect(
            try !isValid(
                #"{"pattern":"^.{1,1000}$"}"#, "\"" + String(repeating: "é", count: 1_001) + "\""))
    }

    @Test("an enum of thousands, used by thousands of values")
    func largeEnums() throws {
        let codes = (0..<9_000).map { "\"code-\($0)\"" }
        let schema =
            ##"{"$defs":{"c":{"enum":[\##(codes.joined(separator: ","))]}},"items":{"$ref":"#/$defs/c"}}"##
        let many = codes.suffix(4_000)
        #expect(try isValid(schema, "[\(many.joined(separator: ","))]"))
        #expect(try !isValid(schema, "[\(many.dropLast().joined(separator: ",")),\"code-9000\"]"))
        let mixed =
            #"{"enum":[1,2.50,"a",null,true,[1,2],{"a":1,"b":[2]},"\u00e9",[],{},-7e2]}"#
        for document in [
            "1.0", "25e-1", "\"\\u0061\"", "null", "true", "[1.0,2]", #"{"b":[2.0],"a":1}"#,
            "\"é\"",
            "[]", "{}", "-700",
        ] {
            #expect(try isValid(mixed, document), "\(document)")
        }
        for document in [
            "2", "false", "[2,1]", #"{"a":1}"#, #"{"a":1,"b":2}"#, "[[]]", "700", "\"b\"",
        ] {
            #expect(try !isValid(mixed, document), "\(document)")
        }
    }

    @Test("a constant with thousands of members, in any order")
    func largeConstants() throws {
        let members = (0..<4_000).map { "\"member-\($0)\":\($0)" }
        let schema = "{\"const\":{\(members.joined(separator: ","))}}"
        #expect(try isValid(schema, "{\(members.joined(separator: ","))}"))
        #expect(try isValid(schema, "{\(members.reversed().joined(separator: ","))}"))
        #expect(
            try !isValid(schema, "{\((members.dropLast() + ["\"x\":1"]).joined(separator: ","))}"))
    }

    @Test("a value is looked at once by each subschema, however many ways lead to it")
    func recursiveBranches() throws {
        let branches = ["a", "b", "c"].map {
            ##"{"properties":{"x":{"$ref":"#"}},"required":["\##($0)"]}"##
        }
        let schema = ##"{"oneOf":[{"type":"null"},\##(branches.joined(separator: ","))]}"##
        var document = "{}"
        for _ in 0..<12 { document = "{\"x\":\(document)}" }
        var steps = 0
        guard case .violation = try outcome(schema, document, steps: &steps) else {
            Issue.record("none of the branches holds")
            return
        }
        #expect(document.utf8.count == 74 && steps < 2_000, "\(steps)")
        for keyword in ["anyOf", "allOf", "oneOf"] {
            for extra in ["", #","unevaluatedProperties":false"#] {
                let twice =
                    ##"{"\##(keyword)":[{"properties":{"x":{"$ref":"#"}}},{"properties":{"x":{"$ref":"#"}}}]\##(extra)}"##
                var deep = "{}"
                for _ in 0..<30 { deep = "{\"x\":\(deep)}" }
                let found = try outcome(twice, deep, steps: &steps)
                #expect(
                    found != .tooComplex && found != nil && steps < 5_000,
                    "\(keyword)\(extra): \(steps)")
            }
        }
    }

    @Test("what could take too long is refused when it is read")
    func refused() throws {
        func error(_ schema: String, levels: Int = 32) -> String {
            var options = SchemaOptions()
            options.documentDepthMax = levels
            do {
                _ = try JSONSchema(Array(schema.utf8), file: "s.json", options: options)
                return ""
            } catch {
                return "\(error)"
            }
        }
        let many = (0..<1_100).map { "{\"minimum\":\($0)}" }.joined(separator: ",")
        #expect(error("{\"items\":{\"allOf\":[\(many)]}}").contains("steps for one value"))
        // Each value sees only its own.
        let apart = (0..<1_100).map { "\"p\($0)\":{\"minimum\":\($0)}" }.joined(separator: ",")
        #expect(error("{\"properties\":{\(apart)}}") == "")
        #expect(
            error(#"{"pattern":"^(a?b?c?d?){1,200}x{0,900}y?(a?){900}$"}"#).contains("the pattern"))
        let list = ##"{"items":{"$ref":"#"},"maxItems":2}"##
        #expect(error(list, levels: 400) == "")
        #expect(error(list, levels: 1_000).contains("within each other"))
    }
}
