import MartletRules
import MartletTestSupport
import Testing

@Suite("Whatever a message is, a verdict is within its bounds")
struct HostileMessageTests {
    private func set() throws -> RuleSetUnderTest {
        try RuleSetUnderTest(
            [
                rule("first", "a.>") {
                    $0.validation = .schema("s")
                    $0.set("X", "{{json(/h)}}")
                    $0.invalidAction = .pass
                    $0.goesOn = true
                },
                rule("second", "a.*.*") {
                    $0.when = #"{"/id":[{"exists":true},{"wildcard":"*a*"}]}"#
                    $0.otherwise = .next
                    $0.set("Y", "{{header(X)}}")
                    $0.to = "b.{{json(/id)}}.{{wildcard(2)}}"
                    $0.payload = "/items"
                    $0.deadLetter = "dead.{{wildcard(1)}}"
                    $0.goesOn = true
                },
                rule("third", "*.*") {
                    $0.to = "c.{{json(/id)}}"
                    $0.invalidAction = .drop
                    $0.deadLetter = "dead.{{json(/id)}}"
                },
                rule("fourth", "a.*.*") { $0.reply = [.init(name: "i", value: "/items/0")] },
            ],
            schemas: [
                "s":
                    #"{"properties":{"id":{"type":["string","integer"],"maxLength":5},"items":{"maxItems":2}}}"#
            ])
    }

    private static let pieces = [
        "{", "}", "[", "]", ":", ",", "\"id\"", "\"items\"", "\"h\"", "\"\\u0000\"", "\"a.b\"",
        "\"\\r\\nX: y\"", "1", "-5", "1e9", "null", "true", " ", "\"é\"", "\u{7F}", "\\",
    ]

    private func payload(_ random: inout SeededRandom) -> [UInt8] {
        switch random.below(4) {
        case 0: (0..<random.below(40)).map { _ in UInt8(random.below(256)) }
        case 1: (0..<random.below(30)).flatMap { _ in Array(random.pick(Self.pieces).utf8) }
        default:
            Array(
                ("{"
                    + ["id", "items", "h", "z"].shuffled(using: &random).prefix(random.below(5))
                    .map {
                        "\"\($0)\":\(random.pick(["[1,[]]", "[]", "\"a b\"", "7", "\"\\n\"", "\"x\""]))"
                    }
                    .joined(separator: ",") + "}").utf8)
        }
    }

    private func header(_ random: inout SeededRandom) -> [UInt8] {
        if random.below(3) == 0 { return [] }
        let pieces = [
            "NATS/1.0", "\r\n", "\r", "\n", "X: 1", "X", ":", "Y: 2", " ", "\t", "\0", "é",
        ]
        return Array("NATS/1.0\r\n".utf8)
            + (0..<random.below(12)).flatMap { _ in Array(random.pick(pieces).utf8) }
    }

    @Test("random messages", arguments: 1...20 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let set = try set()
        for _ in 0..<500 {
            let subject = random.pick([
                "a.b.c", "a.b", "x.y", "a.*.>", "a..b", "a.é.\u{1}", "", ".",
            ])
            let payload = payload(&random)
            let header = header(&random)
            let outcome = set.send(subject, payload, header: header)
            #expect(set.send(subject, payload, header: header) == outcome, "seed \(seed)")
            if let subject = outcome.subject {
                let tokens = subject.split(separator: ".", omittingEmptySubsequences: false)
                #expect(["b", "c", "dead"].contains(tokens[0]), "seed \(seed): \(subject)")
                #expect(tokens.count == (tokens[0] == "b" ? 3 : 2), "seed \(seed): \(subject)")
                #expect(
                    !subject.utf8.contains { $0 <= 0x20 || $0 == 0x7F }, "seed \(seed): \(subject)")
            }
            if let header = outcome.header { checkBlock(header, "seed \(seed)") }
            let isInvalid = outcome.verdict.code != 0
            #expect(
                isInvalid
                    == (outcome.steps.last?.result == .invalid
                        && outcome.verdict.fate != .pass && outcome.verdict.fate != .forward),
                "seed \(seed)")
        }
    }

    /// Lines end with CR LF, nothing else does, and the empty one is the last.
    private func checkBlock(_ header: String, _ comment: Comment) {
        let bytes = Array(header.utf8)
        #expect(
            bytes.starts(with: "NATS/1.0".utf8) && bytes.suffix(4) == [13, 10, 13, 10], comment)
        for (index, byte) in bytes.enumerated() {
            if byte == 13 { #expect(bytes[index + 1] == 10, comment) }
            if byte == 10 { #expect(bytes[index - 1] == 13, comment) }
            if byte == 10 && index < bytes.count - 3 { #expect(bytes[index + 1] != 13, comment) }
        }
    }

    @Test("a payload as deep and as wide as the limits is evaluated")
    func largest() throws {
        let set = try set()
        let deep = String(repeating: "[", count: 31) + String(repeating: "]", count: 31)
        let wide =
            "{\"id\":1,\"items\":["
            + [String](repeating: "1", count: 4_000)
            .joined(separator: ",") + "]}"
        #expect(set.send("a.b.c", deep).results == [.invalid, .filteredNext, .replied])
        let header = "NATS/1.0\r\nX: 1\r\n\r\n"
        #expect(set.send("a.b.c", wide, header: header).results == [.invalid, .routed, .replied])
    }
}
