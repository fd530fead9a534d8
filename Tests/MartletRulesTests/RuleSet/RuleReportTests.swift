import Foundation
import Testing

@testable import MartletRules

@Suite("What is not valid is told to people, to programs and to dead letters")
struct RuleReportTests {
    private static let schema =
        #"{"properties":{"total":{"minimum":0},"a\"b\\":{"type":"string"},"c":{"const":"\r\nX: y"}}}"#

    private func set(_ change: (inout RuleDefinition) -> Void) throws -> RuleSetUnderTest {
        try RuleSetUnderTest([rule { change(&$0) }], schemas: ["order": Self.schema])
    }

    @Test("a violation has its keyword, its path and where it stands")
    func violation() throws {
        let outcome = try set { $0.validation = .schema("order") }
            .send("orders.1", #"{"id":1,"total":-5}"#)
        #expect(outcome.message == "schema order: /total must be >= 0")
        #expect(outcome.failureOffset == 16)
        #expect(
            outcome.body
                == #"{"type":"io.martlet.rule_error.v1","rule":"orders","code":"minimum","path":"/total","keyword":"/properties/total/minimum","offset":16,"status":422,"message":"schema order: /total must be >= 0"}"#
        )
    }

    @Test(
        "a body is JSON and a message is one line, whatever the payload is",
        arguments: [
            #"{"a\"b\\":1}"#, #"{"a\u0022b\\":1}"#, #"{"c":"x"}"#, "{", "[1,\u{7F}]", "",
            "{\"\u{1}\":1}",
        ])
    func bodiesAreJSON(payload: String) throws {
        let outcome = try set { $0.validation = .schema("order") }.send("orders.1", payload)
        #expect(outcome.verdict.fate == .reject)
        let body = try JSONSerialization.jsonObject(with: Data(outcome.body.utf8)) as? [String: Any]
        #expect(body?["status"] as? Int == outcome.verdict.code)
        #expect(body?["message"] as? String == outcome.message)
        #expect(!outcome.message.utf8.contains { $0 < 0x20 || $0 == 0x7F })
    }

    @Test(
        "other failures have a code, and a path or an offset if there is one",
        arguments: [
            (
                rule { $0.to = "a.{{json(/x)}}" }, "{}", #""code":"missing_value","status":422"#,
                "to: the message has not the value for it"
            ),
            (
                rule { $0.to = "a.{{json(/x)}}" }, #"{"x":"a.b"}"#,
                #""code":"bad_token","status":422"#,
                "to: the value cannot stand there"
            ),
            (
                rule { $0.set("X", "{{json(/x)}}") }, #"{"x":"a\r\nb"}"#,
                #""code":"bad_token","status":422"#,
                "set_headers X: the value cannot stand there"
            ),
            (
                rule { $0.payload = "/x\"" }, "{}",
                #""code":"missing_value","path":"/x\"","status":422"#,
                #"payload: there is no /x\""#
            ),
            (
                rule { $0.validation = .json }, "[01]",
                #""code":"bad_number","offset":2,"status":400"#,
                "the payload is not JSON: bad_number at byte 2"
            ),
        ])
    func codes(rule: RuleDefinition, payload: String, part: String, message: String) throws {
        let outcome = try RuleSetUnderTest([rule]).send("orders.1", payload)
        #expect(outcome.body.contains(part), "\(outcome.body)")
        #expect(outcome.message == message)
    }

    @Test("a path too long for the message is left to the body")
    func longPath() throws {
        let key = String(repeating: "k", count: 200)
        var schema = "false"
        var payload = "1"
        for _ in 0..<3 {
            schema = "{\"properties\":{\"\(key)\":\(schema)}}"
            payload = "{\"\(key)\":\(payload)}"
        }
        let set = try RuleSetUnderTest(
            [
                rule {
                    $0.validation = .schema("s")
                    $0.deadLetter = "dead"
                }
            ], schemas: ["s": schema])
        let outcome = set.send("orders.1", payload)
        #expect(outcome.message == "schema s: a value deep in the payload is not valid")
        #expect(outcome.body.contains("\"path\":\"/\(key)/\(key)/\(key)\""))
        #expect(outcome.header?.contains("X-Dead-Path: /\(key)/\(key)/\(key)\r\n") == true)
    }

    @Test("a long constant is not cut within a character")
    func longConstant() throws {
        let constant = "xx" + String(repeating: "é", count: 60)
        let set = try RuleSetUnderTest(
            [rule { $0.validation = .schema("s") }], schemas: ["s": "{\"const\":\"\(constant)\"}"])
        let outcome = set.send("orders.1", "1")
        #expect(!outcome.message.contains("\u{FFFD}"))
        #expect(outcome.message.hasSuffix("\"xx" + String(repeating: "é", count: 30)))
    }

    @Test("whether the sender hears of it is the rule's to say")
    func replies() throws {
        func verdict(_ action: RuleDefinition.InvalidAction, _ replies: Bool) throws -> RuleVerdict
        {
            try set {
                $0.validation = .json
                $0.invalidAction = action
                $0.repliesToInvalid = replies
            }.send("orders.1", "{").verdict
        }
        #expect(
            try verdict(.reject, true) == RuleVerdict(.reject, code: 400, repliesToInvalid: true))
        #expect(try verdict(.reject, false) == RuleVerdict(.reject, code: 400))
        #expect(try verdict(.drop, true) == RuleVerdict(.drop, code: 400))
    }

    @Test(
        "a dead letter has the message's own fields and where it comes from",
        arguments: [
            RuleDefinition.InvalidAction.reject, .drop,
        ])
    func deadLetter(action: RuleDefinition.InvalidAction) throws {
        let outcome = try set {
            $0.validation = .schema("order")
            $0.deadLetter = "dead.{{wildcard(1)}}.{{json(/id)}}"
            $0.invalidAction = action
        }.send(
            "orders.1", #"{"id":7,"total":-5}"#,
            header: "NATS/1.0\r\nA: b\r\nX-Dead-Client: 1\r\n\r\n")
        #expect(outcome.verdict.fate == (action == .drop ? .drop : .reject))
        #expect(outcome.subject == "dead.1.7")
        #expect(
            outcome.header == """
                NATS/1.0\r
                A: b\r
                X-Dead-Reason: schema order: /total must be >= 0\r
                X-Dead-Rule: orders\r
                X-Dead-Path: /total\r
                X-Dead-Subject: orders.1\r
                X-Dead-Time: 2026-11-22T21:04:55.120Z\r
                X-Dead-Client: 42\r
                \r\n
                """)
        #expect(outcome.steps.map(\.isDeadLetterLost) == [false])
    }

    @Test("a dead letter without a header before, for what is no JSON")
    func deadLetterOfGarbage() throws {
        let outcome = try set {
            $0.validation = .json
            $0.deadLetter = "dead"
        }.send("orders.1", "x")
        #expect(outcome.subject == "dead")
        #expect(
            outcome.header?.hasPrefix(
                "NATS/1.0\r\nX-Dead-Reason: the payload is not JSON: expected_value at byte 0\r\nX-Dead-Rule: orders\r\nX-Dead-Subject:"
            ) == true)
    }

    @Test(
        "a dead letter whose subject cannot be made is lost, and that is noted",
        arguments: [
            #"{"total":-1}"#, #"{"total":-1,"id":"a.b"}"#, "{",
        ])
    func lostDeadLetter(payload: String) throws {
        let outcome = try set {
            $0.validation = .schema("order")
            $0.deadLetter = "dead.{{json(/id)}}"
        }.send("orders.1", payload)
        #expect(outcome.verdict.fate == .reject)
        #expect(outcome.subject == nil && outcome.header == nil)
        #expect(outcome.steps.map(\.isDeadLetterLost) == [true])
    }

    @Test("a dead letter whose header block is too large is lost")
    func largeDeadLetter() throws {
        let header = "NATS/1.0\r\nA: \(String(repeating: "x", count: 65_500))\r\n\r\n"
        let outcome = try set {
            $0.validation = .json
            $0.deadLetter = "dead"
        }.send("orders.1", "{", header: header)
        #expect(outcome.subject == nil && outcome.header == nil)
        #expect(outcome.steps.map(\.isDeadLetterLost) == [true])
    }

    @Test("a dead letter may need the payload that the rule did not need")
    func deadLetterScans() throws {
        let set = try RuleSetUnderTest([
            rule {
                $0.to = "a.{{header(X)}}"
                $0.deadLetter = "dead.{{json(/id)}}"
            }
        ])
        #expect(set.send("orders.1", #"{"id":5}"#).subject == "dead.5")
    }

    @Test(
        "times are those of the calendar",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000_000_000, "2000-03-01T00:00:00.000Z"),
            (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
            (.max, "2262-04-11T23:47:16.854Z"), (.min, "1677-09-21T00:12:43.145Z"),
        ])
    func times(nanoseconds: Int64, text: String) {
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 24)
        defer { buffer.deallocate() }
        var writer = ByteWriter(buffer, capacity: 24)
        UTCTime(unixNanoseconds: nanoseconds).write(to: &writer)
        let bytes = UnsafeBufferPointer(start: buffer, count: writer.count)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }
}
