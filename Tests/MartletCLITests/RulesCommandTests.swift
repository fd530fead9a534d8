import Foundation
import MartletRules
import MartletTestSupport
import Testing

@testable import MartletCLI

/// A configuration with rules and a schema in a directory of its own, gone with the test.
final class RulesDirectory {
    static let schema = """
        {"type": "object", "required": ["total"], "properties": {"total": {"minimum": 0}}}
        """
    static let rules = """
        rules {
          schemas { order: "order.json" }
          orders {
            subject: "orders.new.*"
            validate: { schema: order }
            when: { "/tier": [gold], "/total": [{ numeric: [">=", 100] }] }
            set_headers: { "X-Tier": "{{json(/tier)}}" }
            to: "orders.{{json(/country)}}.{{wildcard(1)}}"
            payload: "/items"
            on_invalid: { dead_letter: "dlq.{{wildcard(1)}}" }
          }
          silent { subject: silent, validate: json, on_invalid: { reply: false } }
          watch { subject: "watch.>", validate: json, mode: shadow }
          quote { subject: quote, reply: { pick: { Id: "/id" } } }
          gone { subject: gone, when: { "/a": [1] }, else: drop }
          idle { subject: idle, validate: json, mode: off }
        }
        """

    private let files: TemporaryDirectory
    var path: String { files.path }
    var configuration: String { files.file("martlet.conf") }

    init(_ text: String = "port: -1\ninclude rules.conf\n") throws {
        files = try TemporaryDirectory([
            "martlet.conf": text, "rules.conf": Self.rules, "order.json": Self.schema,
        ])
    }

    func write(_ name: String, _ text: String) throws { try files.write(name, text) }
}

@Suite("martlet rules", .timeLimit(.minutes(2)))
struct RulesCommandTests {
    private let directory: RulesDirectory

    init() throws { directory = try RulesDirectory() }

    private func run(
        _ subject: String, _ payload: String, _ more: String...
    ) async throws -> (code: Int32, output: String) {
        let process = try MartletProcess(
            [
                "rules", "test", "-c", directory.configuration, "--subject", subject,
                "--payload", payload,
            ] + more)
        return (try await process.exitCode(), process.output)
    }

    private static let order = #"{"tier":"gold","total":100,"country":"DE","items":[1, 2]}"#

    @Test("a message that goes on is shown as it does")
    func forward() async throws {
        let result = try await run("orders.new.7", Self.order, "--header", "A: b")
        #expect(result.code == 0)
        #expect(
            result.output == """
                Rule orders: routed
                Fate: forward, by rule orders
                Subject: orders.DE.7
                Header: A: b
                Header: X-Tier: gold
                Payload: 6 bytes
                [1, 2]

                """)
    }

    @Test("a message that is not valid, with what its sender and the dead letter's reader get")
    func reject() async throws {
        let result = try await run("orders.new.7", #"{"total":-1}"#, "--reply", "inbox")
        #expect(result.code == 1)
        let lines = result.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 13)
        #expect(
            lines[..<5] == [
                "Rule orders: invalid 422", "Fate: reject 422, by rule orders",
                "Error: schema order: /total must be >= 0", "Offset: 9", "Answer to inbox:",
            ])
        #expect(lines[5].hasPrefix(#"{"type":""#) && lines[5].contains(#""rule":"orders""#))
        #expect(lines[6] == "Dead letter: dlq.7")
        #expect(lines[7] == "Header: X-Dead-Reason: schema order: /total must be >= 0")
        #expect(lines[10] == "Header: X-Dead-Subject: orders.new.7")
    }

    @Test("a rule that tells nobody has no answer")
    func silent() async throws {
        let result = try await run("silent", "x", "--reply", "inbox")
        #expect(result.code == 1)
        #expect(
            result.output == """
                Rule silent: invalid 400
                Fate: reject 400, by rule silent
                Error: the payload is not JSON: expected_value at byte 0
                Offset: 0

                """)
    }

    @Test("in shadow mode it passes all the same")
    func shadow() async throws {
        let result = try await run("watch.a", "{")
        #expect(result.code == 0)
        #expect(result.output.hasPrefix("Rule watch: invalid 400 (shadow)\nFate: pass\nError: "))
    }

    @Test(
        "what else may become of a message",
        arguments: [
            (
                "quote", #"{"id":5}"#, Int32(0),
                "Rule quote: replied\nFate: reply, by rule quote\nAnswer, if one is asked for:\n"
                    + "{\"Id\":5}\n"
            ),
            ("gone", #"{"a":1}"#, 0, "Rule gone: passed\nFate: pass\n"),
            ("gone", #"{"a":2}"#, 1, "Rule gone: filtered, drop\nFate: drop, by rule gone\n"),
            (
                "orders.new.7", #"{"total":1}"#, 0, "Rule orders: filtered, pass\nFate: pass\n"
            ),
            ("idle", "x", 0, "No rule is for this subject.\nFate: pass\n"),
            ("other", "", 0, "No rule is for this subject.\nFate: pass\n"),
            ("watch.a", "-5", 0, "Rule watch: passed (shadow)\nFate: pass\n"),
        ])
    func fates(subject: String, payload: String, code: Int32, output: String) async throws {
        let result = try await run(subject, payload)
        #expect(result.code == code)
        #expect(result.output == output)
    }

    @Test(
        "the example's orders are checked as its README says",
        arguments: [
            (
                "orders.new", "good.json", Int32(0),
                "Fate: forward, by rule orders\nSubject: orders.at\n"
            ),
            (
                "orders.new", "bad.json", 1,
                "Fate: reject 422, by rule orders\nError: schema order: /total must be >= 0"
            ),
            ("svc.quote", "good.json", 0, "{\"id\":17,\"total\":42.5}\n"),
        ])
    func example(subject: String, file: String, code: Int32, output: String) async throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Examples/rules").standardizedFileURL
        let process = try MartletProcess([
            "rules", "test", "-c", folder.appending(path: "martlet.conf").path, "--subject",
            subject, "--file", folder.appending(path: file).path,
        ])
        #expect(try await process.exitCode() == code)
        #expect(process.output.contains(output), "\(process.output)\(process.log)")
    }

    @Test("rules of an account are for its messages only")
    func accounts() async throws {
        try directory.write(
            "rules.conf",
            "accounts { A {}, B {} }\nrules { a { subject: a, account: A, validate: json } }")
        #expect(try await run("a", "x", "--account", "A").code == 1)
        #expect(try await run("b", "x", "--account", "B").code == 0)
    }

    @Test(
        "an account that does not exist, or has no rule where another one has, is an error",
        arguments: [
            (
                [],
                "no rule of this account is for subject \"a\", but one of another is: try --account A"
            ),
            (["--account", "B"], "but one of another is: try --account A"),
            (["--account", "C"], "there is no account \"C\" in the configuration"),
        ])
    func wrongAccounts(arguments: [String], words: String) async throws {
        try directory.write(
            "rules.conf",
            "accounts { A {}, B {} }\nrules { a { subject: a, account: A, validate: json } }")
        let process = try MartletProcess(
            [
                "rules", "test", "-c", directory.configuration, "--subject", "a", "--payload", "x",
            ] + arguments)
        #expect(try await process.exitCode() == 2)
        #expect(process.log.contains(words))
    }

    // MARK: JSON

    private func json(_ text: String) throws -> NSDictionary {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(object as? NSDictionary)
    }

    @Test("--json prints one object: a message that goes on")
    func jsonForward() async throws {
        let result = try await run("orders.new.7", Self.order, "--json")
        #expect(result.code == 0)
        #expect(result.output.split(separator: "\n").count == 1)
        #expect(
            try json(result.output) == [
                "fate": "forward", "rule": "orders",
                "rules": [["rule": "orders", "result": "routed", "shadow": false]],
                "message": [
                    "subject": "orders.DE.7", "payload": "[1, 2]",
                    "headers": [["name": "X-Tier", "value": "gold"]],
                ],
            ] as NSDictionary)
    }

    @Test("--json prints one object: a message that is not valid")
    func jsonReject() async throws {
        let result = try await run("orders.new.7", #"{"total":-1}"#, "--json")
        #expect(result.code == 1)
        let object = try json(result.output)
        #expect(object["fate"] as? String == "reject")
        #expect(object["code"] as? Int == 422)
        #expect(
            object["error"] as? NSDictionary
                == ["message": "schema order: /total must be >= 0", "offset": 9])
        let letter = try #require(object["dead_letter"] as? NSDictionary)
        #expect(letter["subject"] as? String == "dlq.7")
        #expect(letter["payload"] as? String == #"{"total":-1}"#)
        let answer = try json(try #require(object["answer"] as? String))
        #expect(answer["status"] as? Int == 422)
        #expect(
            object["rules"] as? NSArray == [
                ["rule": "orders", "result": "invalid", "shadow": false, "code": 422]
            ])
    }

    // MARK: Payloads from elsewhere

    @Test("the payload comes from a file or from standard input")
    func files() async throws {
        try directory.write("payload", #"{"id":"file"}"#)
        let arguments = ["rules", "test", "-c", directory.configuration, "--subject", "quote"]
        let file = try MartletProcess(arguments + ["--file", directory.path + "/payload"])
        #expect(try await file.exitCode() == 0)
        #expect(file.output.hasSuffix("\n{\"Id\":\"file\"}\n"))
        let input = try MartletProcess(arguments + ["--file", "-"], input: #"{"id":"in"}"#)
        #expect(try await input.exitCode() == 0)
        #expect(input.output.hasSuffix("\n{\"Id\":\"in\"}\n"))
    }

    @Test("a payload that is no text is shown as it is, and in JSON by its base 64")
    func binary() async throws {
        try directory.write("rules.conf", "rules { r { subject: a, set_headers: { B: c } } }")
        let path = directory.path + "/payload"
        try Data([0xFF, 0x00]).write(to: URL(fileURLWithPath: path))
        let process = try MartletProcess(
            [
                "rules", "test", "-c", directory.configuration, "--subject", "a", "--json",
                "--file", path,
            ])
        #expect(try await process.exitCode() == 0)
        let message = try #require(try json(process.output)["message"] as? NSDictionary)
        #expect(message["payload_base64"] as? String == "/wA=")
        #expect(message["payload"] == nil)
    }

    // MARK: Mistakes

    @Test(
        "mistakes in arguments are told and end with 2",
        arguments: [
            (["--subject", "a.*", "--payload", "x"], "\"a.*\" is no subject to publish to"),
            (["--subject", "a..b", "--payload", "x"], "\"a..b\" is no subject to publish to"),
            (
                ["--subject", "a", "--payload", "x", "--header", "b"],
                "a header is \"Name: value\", not \"b\""
            ),
            (
                ["--subject", "a", "--payload", "x", "--reply", "b c"],
                "\"b c\" is no subject to publish to"
            ),
            (
                ["--subject", "a", "--file", "/absent/file"],
                "open /absent/file: no such file or directory"
            ),
            (["--subject", "a", "--file", "/"], "read /: it is not a file"),
        ])
    func mistakes(arguments: [String], message: String) async throws {
        let process = try MartletProcess(
            ["rules", "test", "-c", directory.configuration] + arguments)
        #expect(try await process.exitCode() == 2)
        #expect(process.log == "martlet: \(message)\n")
        #expect(process.output.isEmpty)
    }

    @Test("rules alone do nothing, and end with 64 and what there is to choose from")
    func noCommand() async throws {
        let process = try MartletProcess(["rules"])
        #expect(try await process.exitCode() == 64)
        #expect(process.log.contains("which one is missing: test or check"))
    }

    @Test("no payload, or two, is a mistake", arguments: [[], ["--payload", "x", "--file", "y"]])
    func payloads(arguments: [String]) async throws {
        let process = try MartletProcess(
            ["rules", "test", "-c", directory.configuration, "--subject", "a"] + arguments)
        #expect(try await process.exitCode() >= 2)
        #expect(process.log.contains("the payload comes from either --file or --payload"))
    }

    @Test(
        "a configuration that cannot be used ends both commands with 2",
        arguments: ["check", "test"])
    func configurations(command: String) async throws {
        func failure(_ path: String) async throws -> String {
            let message = command == "test" ? ["--subject", "a", "--payload", "x"] : []
            let process = try MartletProcess(["rules", command, "-c", path] + message)
            #expect(try await process.exitCode() == 2)
            #expect(process.output.isEmpty)
            return process.log
        }
        #expect(
            try await failure("/absent.conf")
                == "martlet: open /absent.conf: no such file or directory\n")
        let path = directory.configuration
        try directory.write("martlet.conf", "port: -1")
        #expect(try await failure(path) == "martlet: \(path): there is no block \"rules\"\n")
        try directory.write("martlet.conf", "rules {\n a { subject: a, to: 'b..c' }\n b { x: 1 } }")
        #expect(try await failure(path) == "martlet: \(path):3:2: rule \"b\" has no subject\n")
        try directory.write("martlet.conf", "rules {\n a { subject: a, to: 'b..c' } }")
        #expect(try await failure(path).hasPrefix("martlet: \(path):2:2: rule a: to: "))
    }

    // MARK: Check

    @Test("check counts")
    func check() async throws {
        let path = directory.configuration
        let process = try MartletProcess(["rules", "check", "--config", path])
        #expect(try await process.exitCode() == 0)
        let lines = process.output.split(separator: "\n")
        try #require(lines.count == 2)
        #expect(lines[0] == "\(path): 6 rules (1 in shadow mode, 1 off), 1 schema, 0 warnings")
        // What is only worth knowing does not fail the check of the configuration.
        #expect(lines[1].hasPrefix("note: ") && lines[1].contains("rule quote: whoever asks "))
        let check = try MartletProcess(["-t", "-c", path])
        #expect(try await check.exitCode() == 0)
        #expect(check.log.hasSuffix("\nmartlet: \(lines[1])\n"))
    }

    @Test("check tells warnings, which -t does not let pass")
    func warnings() async throws {
        try directory.write("order.json", #"{"type": "object", "sort": 1}"#)
        let path = directory.configuration
        let process = try MartletProcess(["rules", "check", "-c", path])
        #expect(try await process.exitCode() == 0)
        let lines = process.output.split(separator: "\n")
        try #require(lines.count == 3)
        #expect(lines[0].hasSuffix(", 1 schema, 1 warning"))
        #expect(lines[1].hasPrefix("warning: ") && lines[1].contains("sort"))
        let strict = try MartletProcess(["-t", "-c", path])
        #expect(try await strict.exitCode() == 1)
        #expect(strict.log == "martlet: \(lines[1].dropFirst("warning: ".count))\n")
    }
}
