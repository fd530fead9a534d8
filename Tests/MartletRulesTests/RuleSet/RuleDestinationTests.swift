import MartletRules
import Testing

@Suite("A message chooses no more of its subject than the rule gives it")
struct RuleDestinationTests {
    private func subject(
        _ to: String, _ payload: String = "{}", source: String = "orders.*.*",
        subject: String = "orders.new.42"
    ) throws -> String? {
        try RuleSetUnderTest([rule("r", source) { $0.to = to }]).send(subject, payload).subject
    }

    @Test(arguments: [
        "a.b", "*", ">", "a b", "", #"a\r\nb"#, #"\u0000"#, #"\u002e"#, "\u{7F}",
        String(repeating: "x", count: 65),
    ])
    func injection(value: String) throws {
        #expect(try subject("a.{{json(/v)}}", "{\"v\":\"\(value)\"}") == nil)
    }

    @Test(
        "$n is wildcard n if it is a token",
        arguments: [
            ("a.$1.$2", "a.new.42"), ("a.$2", "a.42"), ("a.x$1", "a.x$1"), ("a.$1x", "a.$1x"),
            ("a.$x", "a.$x"), ("a.$", "a.$"), ("a.{{json(/p.q)}}.$1", "a.v.new"),
        ])
    func dollars(to: String, expected: String) throws {
        #expect(try subject(to, #"{"p.q":"v"}"#) == expected)
    }

    /// The numbers are what nats-server's mapping makes of the same subjects.
    @Test(
        "partitions are those of nats-server",
        arguments: [
            ("p.{{partition(10,1,2)}}", "orders.new.42", "p.9"),
            ("p.{{partition(10,1)}}", "orders.new.42", "p.5"),
            ("p.{{Partition( 3 , 2 )}}.$1", "orders.new.42", "p.2.new"),
            ("p.{{partition(7)}}", "orders.new.42", "p.2"),
            ("p.{{partition(1)}}", "orders.a.b", "p.0"),
            ("p.x{{partition(100,2,1)}}", "orders.new.42", "p.x27"),
        ])
    func partitions(to: String, from: String, expected: String) throws {
        #expect(try subject(to, subject: from) == expected)
    }

    @Test("the token limit of 64 bytes holds for each value, the buffer's for the whole")
    func length() throws {
        let value = String(repeating: "v", count: 64)
        let payload = "{\"v\":\"\(value)\"}"
        #expect(try subject("a.{{json(/v)}}", payload) == "a.\(value)")
        let many = "a" + String(repeating: ".{{json(/v)}}", count: 63)
        #expect(try subject(many, payload)?.utf8.count == 1 + 63 * 65)
        let tooMany = "a" + String(repeating: ".{{json(/v)}}", count: 64)
        let outcome = try RuleSetUnderTest([rule { $0.to = tooMany }]).send("orders.1", payload)
        #expect(outcome.verdict.code == 422 && outcome.body.contains("too_long"))
    }
}
