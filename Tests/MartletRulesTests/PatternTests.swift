import MartletTestSupport
import Testing

@testable import MartletRules

@Suite("Patterns find matches in linear time")
struct PatternTests {
    private func matches(
        _ pattern: String, _ text: String, byTable: Bool? = nil, triesTable: Bool = true
    ) throws -> Bool {
        let compiled = try Pattern(pattern, triesTable: triesTable)
        defer { compiled.free() }
        if let byTable { #expect(compiled.isTable == byTable, "\(pattern)") }
        let sets = PatternSets()
        defer { sets.free() }
        return Array(text.utf8).withUnsafeBufferPointer { buffer in
            let empty: [UInt8] = [0]
            return empty.withUnsafeBufferPointer { zero in
                let bytes = Bytes(buffer.baseAddress ?? zero.baseAddress!, count: buffer.count)
                let isASCII = text.utf8.allSatisfy { $0 < 0x80 && $0 != UInt8(ascii: "\\") }
                let entry = JSONEntry(
                    offset: 0, length: buffer.count, kind: .string,
                    flags: isASCII ? 0 : JSONEntry.nonASCII)
                return compiled.matches(bytes, entry, sets)
            }
        }
    }

    @Test(
        arguments: [
            ("", "", true), ("", "x", true), ("a", "bab", true), ("^a", "ba", false),
            ("a$", "ab", false),
            ("^$", "", true), ("^$", "a", false), ("^a*$", "aaaa", true), ("^a+$", "", false),
            ("^a?b$", "b", true),
            ("^(ab|cd)+$", "abcdab", true), ("^(ab|cd)+$", "abc", false), ("^a{2}$", "aa", true),
            ("^a{2}$", "aaa", false),
            ("^a{2,}$", "aaaaa", true), ("^a{2,3}$", "aaaa", false), ("^a{0}$", "", true),
            ("^[a-c]$", "b", true),
            ("^[^a-c]$", "b", false), ("^[^a-c]$", "é", true), ("^[a\\-c]$", "-", true),
            ("^[-a]$", "-", true),
            ("^[]$", "a", false), ("^[^]$", "a", true), ("^.$", "\n", false), ("^.$", "😀", true),
            ("^\\d\\D$", "1a", true),
            ("^\\w\\W$", "_-", true), ("^\\s\\S$", "\u{A0}a", true), ("^\\d$", "١", false),
            ("\\bfoo\\b", "a foo b", true),
            ("\\bfoo\\b", "afoo b", false), ("\\Boo\\B", "fool", true), ("^\\u00e9$", "é", true),
            ("^\\u{1F600}$", "😀", true),
            ("^\\ud83d\\ude00$", "😀", true), ("^\\x41$", "A", true), ("^\\cA$", "\u{1}", true),
            ("^\\/$", "/", true),
            ("^(?:a|b)c$", "bc", true), ("^(?<year>\\d{4})-\\d\\d$", "2026-11", true),
            ("^\\p{Lu}\\p{Ll}+$", "Éa", true),
            ("^\\p{Letter}$", "日", true), ("^\\P{L}$", "1", true), ("^\\p{gc=Nd}$", "١", true),
            ("a|b|", "c", true),
            ("^(a|ab)(c|bcd)$", "abcd", true), ("^(a*)*$", "aaab", false),
            ("^(a*)*b$", "aaab", true), ("(^|x)y", "zxy", true),
            ("(^|x)y", "zy", false), ("^a.*?b$", "axxb", true), ("^[\\s\\S]*$", "\n\r", true),
            ("\\$", "a$", true),
            ("^\\.\\*$", ".*", true), ("^[\\b]$", "\u{8}", true),
            ("^[\\w.-]+@[\\w-]+\\.[a-z]{2,}$", "ada@example.com", true),
            ("^[\\w.-]+@[\\w-]+\\.[a-z]{2,}$", "ada@example", false),
        ] as [(String, String, Bool)])
    func finds(pattern: String, text: String, expected: Bool) throws {
        #expect(try matches(pattern, text) == expected)
    }

    @Test(arguments: [
        "(", ")", "[", "a**", "*", "a{2", "a{3,2}", "{", "}", "]", "(?=a)", "(?!a)", "(?<=a)",
        "(?<!a)", "(a)\\1",
        "\\k<a>", "\\a", "\\z", "[z-a]", "[\\d-z]", "\\u12", "\\x1", "\\p{Nope}", "\\p", "\\",
        "(?i:a)", "a{1001}",
        "((a{100}){100}){100}", "\\01", "(?<a",
    ])
    func refuses(pattern: String) {
        #expect(throws: RuleError.self) { try Pattern(pattern).free() }
    }

    @Test("what is too large for a table is followed step by step, with the same verdicts")
    func largePatterns() throws {
        let pattern = "(a|b)*a(a|b){12}$"
        for (text, expected) in [
            ("a" + String(repeating: "b", count: 12), true),
            (String(repeating: "b", count: 13), false),
            ("ba" + String(repeating: "ab", count: 6), true), ("", false),
        ] {
            #expect(try matches(pattern, text, byTable: false) == expected, "\(text)")
        }
    }

    @Test(
        "a pattern that makes others run for years takes no time",
        .timeLimit(.minutes(isSanitized ? 10 : 1)))
    func hostilePatterns() throws {
        let text = String(repeating: "a", count: 3_000)
        #expect(try !matches("^(a+)+$", text + "!"))
        #expect(try !matches("^(a|aa)+$", text + "!"))
        #expect(try !matches("^(.*)*(.*)*(.*)*x$", text))
        #expect(try !matches("(x+x+)+y", String(repeating: "x", count: 3_000)))
    }

    @Test("both engines agree on random patterns", arguments: 1...20 as ClosedRange<UInt64>)
    func enginesAgree(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<25 {
            let pattern = Self.randomPattern(&random, depth: 0)
            for _ in 0..<10 {
                let text = String(
                    (0..<random.below(8)).map { _ in
                        random.pick(["a", "b", "-", "é"] as [Character])
                    })
                #expect(
                    try matches(pattern, text, byTable: true)
                        == matches(pattern, text, byTable: false, triesTable: false),
                    "\(pattern) on \(text)")
            }
        }
    }

    private static func randomPattern(_ random: inout SeededRandom, depth: Int) -> String {
        let parts = (0...random.below(3)).map { _ -> String in
            switch random.below(depth > 2 ? 6 : 9) {
            case 0: "a"
            case 1: "b"
            case 2: random.pick(["[ab]", "[^a]", ".", "\\w", "\\W", "[a-é]"])
            case 3: random.pick(["^", "$", "\\b", "\\B"])
            case 4: random.pick(["a*", "b+", "a?", "[ab]{1,3}"])
            case 5: "é"
            case 6:
                "(\(randomPattern(&random, depth: depth + 1)))"
                    + random.pick(["", "*", "+", "?", "{0,2}"])
            default:
                "(?:\(randomPattern(&random, depth: depth + 1))|\(randomPattern(&random, depth: depth + 1)))"
            }
        }
        return parts.joined()
    }
}
