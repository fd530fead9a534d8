import MartletRules
import Testing

@Suite("Fields are replaced, and nothing hides from it")
struct HeaderBlockTests {
    private func header(
        _ block: String, set: [(String, String)] = [("X-Tier", "gold")], payload: String = "{}"
    ) throws -> String? {
        try RuleSetUnderTest([
            rule { rule in
                for (name, value) in set { rule.set(name, value) }
            }
        ]).send("orders.1", payload, header: block).header
    }

    @Test(
        "fields with the name go, the others and the status line stay",
        arguments: [
            ("", "NATS/1.0\r\n"),
            ("NATS/1.0\r\n\r\n", "NATS/1.0\r\n"),
            ("NATS/1.0\r\nA: 1\r\n\r\n", "NATS/1.0\r\nA: 1\r\n"),
            ("NATS/1.0\r\nX-Tier: tin\r\nA: 1\r\nX-Tier:lead\r\n\r\n", "NATS/1.0\r\nA: 1\r\n"),
            ("NATS/1.0 503 No Responders\r\nX-Tier: 1\r\n\r\n", "NATS/1.0 503 No Responders\r\n"),
            (
                "NATS/1.0\r\nx-tier: 1\r\nX-Tiers: 2\r\nX-Tie: 3\r\n\r\n",
                "NATS/1.0\r\nx-tier: 1\r\nX-Tiers: 2\r\nX-Tie: 3\r\n"
            ),
            ("NATS/1.0\r\nA\r\n: x\r\nX-Tier\r\n\r\n", "NATS/1.0\r\nA\r\n: x\r\nX-Tier\r\n"),
            // Hidden from readers that only know CR LF, from those that go on after an empty line, ...
            ("NATS/1.0\nX-Tier: a\nA: 1\n\n", "NATS/1.0\r\nA: 1\r\n"),
            ("NATS/1.0\r\nA: 1\rX-Tier: a\r\n\r\n", "NATS/1.0\r\nA: 1\r\n"),
            ("NATS/1.0\r\n\r\nX-Tier: a\r\n\r\n", "NATS/1.0\r\n"),
            (
                "NATS/1.0\r\nX-Tier: a\r\n b\r\n\tc\r\nA: 1\r\n d\r\n\r\n",
                "NATS/1.0\r\nA: 1\r\n d\r\n"
            ),
            ("NATS/1.0\r\nX-Tier : a\r\n\r\n", "NATS/1.0\r\n"),
            // ... or without an end or a beginning.
            ("NATS/1.0\r\nX-Tier: a", "NATS/1.0\r\n"), ("NATS/1.0", "NATS/1.0\r\n"),
            ("X-Tier: a\r\nB: 1\r\n\r\n", "NATS/1.0\r\nB: 1\r\n"), ("NAT", "NATS/1.0\r\nNAT\r\n"),
        ])
    func replaces(block: String, before: String) throws {
        #expect(try header(block) == before + "X-Tier: gold\r\n\r\n")
    }

    @Test("a value cannot end its line")
    func injection() throws {
        for bad in [#"a\r\nX-Admin: 1"#, #"a\nb"#, #"a\rb"#, #"\u0000"#] {
            let set = [("X", "{{json(/v)}}")]
            #expect(try header("", set: set, payload: "{\"v\":\"\(bad)\"}") == nil)
        }
        let set = [("X", "{{header(A)}}")]
        #expect(try header("NATS/1.0\r\nA: 1\rB: 2\r\n\r\n", set: set) == nil)
    }

    @Test("several fields stand in the order in which they are set")
    func several() throws {
        #expect(
            try header("NATS/1.0\r\nB: 0\r\n\r\n", set: [("A", "1"), ("B", ""), ("C", "x y")])
                == "NATS/1.0\r\nA: 1\r\nB: \r\nC: x y\r\n\r\n")
    }

    @Test("a block is at most 64 KiB")
    func limit() throws {
        let set = try RuleSetUnderTest([rule { $0.set("A", "1") }])
        for (extra, code) in [(0, 0), (1, 413)] {
            let filler = String(repeating: "x", count: 65_536 - 10 - 5 - 6 - 2 + extra)
            let outcome = set.send("orders.1", header: "NATS/1.0\r\nB: \(filler)\r\n\r\n")
            #expect(outcome.verdict.code == code)
            #expect((outcome.header?.utf8.count ?? 0) == (code == 0 ? 65_536 : 0))
        }
    }
}
