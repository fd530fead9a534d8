import MartletTestSupport
import Testing

@testable import MartletRules

@Suite("An evaluation that may take so many steps")
struct StepLimitTests {
    struct Costly: Sendable, CustomStringConvertible {
        let description: String
        let rules: [RuleDefinition]
        var schemas: [String: String] = [:]
        let payload: String
        var header = ""
    }

    static let all = [
        Costly(
            description: "suffixes of many rules",
            rules: (0..<32).map { n in
                rule("r\(n)", "w") {
                    let tests = (0..<60).map { #"{"suffix": "\#($0)\#(text("q", 60))"}"# }
                    $0.when = #"{"/a": [\#(tests.joined(separator: ", "))]}"#
                    $0.otherwise = .next
                }
            }, payload: #"{"a": [\#(list(50, #""b\#(text("q", 60))""#))]}"#),
        Costly(
            description: "wildcards",
            rules: [
                rule("r", "w") {
                    let tests = (0..<40).map { #"{"wildcard": "*a\#($0)*b\#($0)*"}"# }
                    $0.when = #"{"/a": [\#(tests.joined(separator: ", "))]}"#
                    $0.otherwise = .drop
                }
            ], payload: #"{"a": ["\#(text("ab", 3_000))"]}"#),
        Costly(
            description: "bounds", rules: [rule("r", "w") { $0.validation = .schema("s") }],
            schemas: ["s": #"{"items": {"allOf": [\#(bounds)]}}"#],
            payload: "[\(list(400, "999"))]"),
        Costly(
            description: "checks of elements alone",
            rules: [rule("r", "w") { $0.validation = .schema("s") }],
            schemas: ["s": #"{"items": {"minimum": 1, "maximum": 9, "multipleOf": 1}}"#],
            payload: "[\(list(4_000, "5"))]"),
        Costly(
            description: "escaped texts without regard to case",
            rules: [
                rule("r", "w") {
                    $0.when =
                        #"{"/a": [\#(list(60, #"{"equals-ignore-case": "\#(text("é", 400))x"}"#))]}"#
                    $0.otherwise = .drop
                }
            ], payload: #"{"a": "\#(text("é", 400))y"}"#),
        Costly(
            description: "fields of a long header block",
            rules: [
                rule("r", "w") {
                    for n in 0..<60 { $0.set("k\(n)", text("{{header(last)}}", 10)) }
                }
            ], payload: "{}",
            header: "NATS/1.0\r\n\(text("h:a\r\n", 1_000))last:b\r\n\r\n"),
    ]

    private static let bounds = (0..<90).map { #"{"minimum": \#($0)}"# }.joined(separator: ",")

    private static func text(_ text: String, _ count: Int) -> String {
        String(repeating: text, count: count)
    }

    private static func list(_ count: Int, _ item: String) -> String {
        Array(repeating: item, count: count).joined(separator: ",")
    }

    @Test("ends soon after them without a verdict, or as one without a limit", arguments: all)
    func limit(of shape: Costly) throws {
        let set = try RuleSetUnderTest(shape.rules, schemas: shape.schemas)
        let (payload, header) = (Array(shape.payload.utf8), Array(shape.header.utf8))
        let expected = set.send("w", payload, header: header)
        let steps = set.stepsSpent
        #expect(steps > 25_000, "it is too much for a loop")
        var random = SeededRandom(printedFor: "limit of \(shape)")
        for limit in [1, 1_000, steps - 1, steps, steps + 1]
            + (0..<10).map({ _ in random.below(2 * steps) })
        {
            let outcome = set.send("w", payload, header: header, within: limit)
            #expect(outcome == (limit > steps ? expected : nil), "within \(limit) of \(steps)")
            // What is counted at once: a scan, a search for pointers, a text that is compared. Reads of header
            // blocks are counted before they are made, all those of a rule at once.
            let atOnce = shape.header.isEmpty ? 16_000 : steps
            #expect(outcome != nil || set.stepsSpent <= limit + atOnce, "\(limit)")
        }
    }

    @Test("counts for a number that is too long what was done until there")
    func longNumber() throws {
        let set = try RuleSetUnderTest(
            [rule("r", "w") { $0.validation = .schema("s") }],
            schemas: ["s": #"{"items": {"minimum": 1}}"#])
        let long = String(repeating: "9", count: 60)
        let outcome = set.send("w", "[5,\(long),\(Self.list(3_000, "5"))]")
        #expect(outcome.verdict.code == 413)
        #expect(set.stepsSpent < 1_000, "\(set.stepsSpent)")
    }
}
