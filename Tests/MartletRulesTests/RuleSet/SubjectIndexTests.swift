import MartletRules
import MartletTestSupport
import Testing

@Suite("The first rule for a subject is found whatever the number of rules")
struct SubjectIndexTests {
    /// As a rule's subject reads, token by token.
    private func matches(_ pattern: String, _ subject: String) -> Bool {
        let pattern = pattern.split(separator: ".", omittingEmptySubsequences: false)
        let subject = subject.split(separator: ".", omittingEmptySubsequences: false)
        for (index, token) in pattern.enumerated() {
            if index >= subject.count { return false }
            if token == ">" { return true }
            if token == "*" ? subject[index].isEmpty : token != subject[index] { return false }
        }
        return pattern.count == subject.count
    }

    @Test("literals", arguments: [10, 1_000, 10_000])
    func literals(count: Int) throws {
        let set = try RuleSetUnderTest((0..<count).map { rule("r\($0)", "a.\($0).b") })
        for number in 0..<count { #expect(set.firstRule("a.\(number).b") == number) }
        for none in ["a.\(count).b", "a.1", "a.1.b.c", "a.1.b.", "", "a", ".", "a..b", "A.1.b"] {
            #expect(set.firstRule(none) == -1)
        }
    }

    @Test("the lowest number counts, literal or not")
    func lowest() throws {
        let set = try RuleSetUnderTest([
            rule("a", "x.*"), rule("b", "x.y"), rule("c", "y.z"), rule("d", ">"), rule("e", "y.*"),
            rule("f", "y.z"),
        ])
        #expect(set.firstRule("x.y") == 0)
        #expect(set.firstRule("y.z") == 2)
        #expect(set.firstRule("y.q") == 3)
        #expect(set.firstRule("q") == 3)
    }

    @Test(
        "wildcards are whole tokens",
        arguments: [
            ("a.*", "a.b", true), ("a.*", "a", false), ("a.*", "a.", false),
            ("a.*", "a.b.c", false),
            ("a.>", "a", false), ("a.>", "a.b.c", true), (">", "a", true), ("*", "a", true),
            ("*", "a.b", false), ("*.b", "a.b", true), ("*.*.c", "a.b.c", true),
            ("a.*.c", "a.b.d", false),
            ("a.*.c", "a.b.cd", false), ("a.*.cd", "a.b.c", false), ("a.b*", "a.bc", false),
            ("a.b*", "a.b*", true), ("a.>b", "a.>b", true), ("*.>", "a", false),
            ("*.>", "a.b", true),
            ("a.*.>", "a.b.c.d", true), ("a.*.>", "a.b", false),
        ])
    func wildcards(pattern: String, subject: String, expected: Bool) throws {
        let set = try RuleSetUnderTest([rule("r", pattern)])
        #expect((set.firstRule(subject) == 0) == expected)
        #expect(matches(pattern, subject) == expected)
    }

    @Test("deep prefixes are found too")
    func deep() throws {
        let tokens = (0..<100).map { "t\($0)" }.joined(separator: ".")
        let set = try RuleSetUnderTest([rule("a", tokens + ".*"), rule("b", tokens)])
        #expect(set.firstRule(tokens + ".x") == 0)
        #expect(set.firstRule(tokens) == 1)
        #expect(set.firstRule(tokens + ".x.y") == -1)
    }

    @Test(
        "any rules find what a look at each of them finds", arguments: 1...20 as ClosedRange<UInt64>
    )
    func random(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let words = ["a", "b", "ab", "c"]
        func subject(_ words: [String]) -> String {
            (0...random.below(5)).map { _ in random.pick(words) }.joined(separator: ".")
        }
        let accounts: [String?] = [nil, "A", "B"]
        let rules = (0..<random.below(200) + 1).map { number in
            rule("r\(number)", subject(words + ["*", "*"]) + random.pick(["", "", ".>"])) {
                $0.account = random.pick(accounts)
                $0.goesOn = true
            }
        }
        let set = try RuleSetUnderTest(rules)
        for _ in 0..<500 {
            let subject = subject(words)
            let account = random.pick(accounts)
            let all = rules.indices.filter {
                rules[$0].account == account && matches(rules[$0].subject, subject)
            }
            #expect(
                set.firstRule(subject, account: account) == all.first ?? -1,
                "seed \(seed): \(subject)")
            let outcome = set.send(subject, account: account)
            #expect(
                outcome.steps.map { Int($0.rule) } == Array(all.prefix(32)),
                "seed \(seed): \(subject)")
            #expect(outcome.verdict.fate == (all.count > 32 ? .reject : .pass))
        }
    }
}
