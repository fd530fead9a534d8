import Foundation
import MartletTestSupport
import Testing

@testable import MartletRules

/// A broker's threads have 8 MiB; these have a fraction of it, and debug builds need several times what
/// release builds do.
@Suite("The deepest input needs little stack")
struct StackDepthTests {
    /// Runs on a thread with so little stack; it crashes where that is not enough.
    private func onSmallStack(kilobytes: Int = 512, _ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { done in
            let thread = Thread {
                body()
                done.resume()
            }
            // The address sanitizer puts room around everything on the stack.
            thread.stackSize = (isSanitized ? 8 : 1) * kilobytes << 10
            thread.start()
        }
    }

    private static func nested(
        _ open: String, _ middle: String, _ close: String, _ depth: Int
    ) -> String {
        String(repeating: open, count: depth) + middle + String(repeating: close, count: depth)
    }

    private static var deepest: JSONLimits {
        var limits = JSONLimits()
        limits.depthMax = 1_024
        return limits
    }

    @Test("documents of 1,024 levels are scanned, hashed and compared")
    func documents() async {
        await onSmallStack(kilobytes: 128) {
            var scratch = RuleScratch(limits: Self.deepest)
            for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
                let deep = Self.nested(open, "1", close, 1_023)
                let schema = try! JSONSchema(Array(#"{"uniqueItems":true}"#.utf8), file: "s.json")
                let different = Self.nested(open, "2", close, 1_023)
                #expect(validate(Array("[\(deep),\(different)]".utf8), schema, &scratch) == .valid)
                let found = validate(Array("[\(deep),\(deep)]".utf8), schema, &scratch)
                #expect(found == .violation(SchemaViolation(step: 0, entry: 0)))
            }
        }
    }

    @Test("subschemas within each other are evaluated as deep as they may be")
    func evaluation() async {
        await onSmallStack(kilobytes: 2_048) {
            var scratch = RuleScratch(limits: Self.deepest)
            for text in [
                ##"{"items":{"$ref":"#"},"maxItems":2}"##,
                ##"{"anyOf":[{"items":{"$ref":"#"}},{"type":"null"}],"maxItems":2}"##,
                ##"{"properties":{"a":{"$ref":"#"}},"patternProperties":{"a":{}},"unevaluatedProperties":false}"##,
            ] {
                let schema = try! JSONSchema(Array(text.utf8), file: "s.json")
                let isArray = text.contains("items")
                for depth in [100, 240, 1_000] {
                    let document =
                        isArray
                        ? Self.nested("[", "", "]", depth) : Self.nested(#"{"a":"#, "1", "}", depth)
                    let found = validate(Array(document.utf8), schema, &scratch)
                    #expect(found == (depth == 1_000 ? .tooComplex : .valid), "\(text) \(depth)")
                }
            }
        }
    }

    @Test("schemas of 128 levels are compiled, deeper ones are refused")
    func schemas() async {
        await onSmallStack(kilobytes: 2_048) {
            for depth in [120, 127, 128, 100_000] {
                for open in [#"{"not":"#, #"{"items":"#] {
                    let text = Array(Self.nested(open, "{}", "}", depth).utf8)
                    let schema = try? JSONSchema(text, file: "s.json")
                    #expect((schema != nil) == (depth < 128), "\(open) \(depth)")
                }
                let constant = Array("{\"const\":\(Self.nested("[", "", "]", depth))}".utf8)
                #expect(((try? JSONSchema(constant, file: "s.json")) != nil) == (depth < 128))
            }
        }
    }

    @Test("patterns, conditions and pointers as deep as they may be")
    func others() async {
        await onSmallStack(kilobytes: 1_024) {
            for (depth, isRight) in [(49, true), (50, false), (100_000, false)] {
                let pattern = try? Pattern(Self.nested("(a|", "b", ")*", depth))
                #expect((pattern != nil) == isRight, "\(depth)")
                pattern?.free()
            }
            // Nothing, ever so often.
            #expect(throws: RuleError.self) {
                try Pattern(Self.nested("(?:", "", "){1000}", 40)).free()
            }
            var pointers = PointerSet()
            for (depth, isRight) in [(60, true), (100_000, false)] {
                let text = "{\"/a\":\(Self.nested(#"{"anything-but":"#, "1", "}", depth))}"
                #expect(throws: RuleError.self) {
                    try Condition(json: Array(text.utf8), pointers: &pointers)
                }
                let pointer = try! JSONPointer(String(repeating: "/a", count: depth))
                #expect(((try? PointerTree([pointer])) != nil) == isRight)
            }
            let pointer = try! JSONPointer(String(repeating: "/a", count: 64))
            let tree = try! PointerTree([pointer])
            var scratch = RuleScratch(limits: Self.deepest)
            scan(Array(Self.nested(#"{"a":"#, "1", "}", 64).utf8), in: &scratch) { outcome in
                guard case .document(let document) = outcome else { return }
                var slot = JSONSlot.missing
                tree.find(in: document, into: &slot)
                #expect(slot.isPresent)
            }
        }
    }
}
