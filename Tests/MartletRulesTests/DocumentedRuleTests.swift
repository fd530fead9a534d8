import Foundation
import Testing

@testable import MartletRules

/// The tables of docs/RULES.md: every example is tried.
@Suite("What the documentation says of rules is so")
struct DocumentedRuleTests {
    /// The rows of the table whose head begins so: the cells, as they are written.
    private func rows(_ head: String) throws -> [[String]] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let text = try String(
            contentsOf: root.appending(path: "docs/RULES.md").standardizedFileURL, encoding: .utf8)
        let lines = text.components(separatedBy: "\n")
        let start = try #require(lines.firstIndex { $0.hasPrefix("| \(head) |") }, "\(head)")
        return lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { line in
            line.components(separatedBy: "|").dropFirst().dropLast()
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    /// What is written as code.
    private func code(_ cell: String) -> String? {
        guard cell.count > 1, cell.hasPrefix("`"), cell.hasSuffix("`") else { return nil }
        return String(cell.dropFirst().dropLast())
    }

    private func quoted(_ text: String) -> String {
        String(decoding: jsonString(text), as: UTF8.self)
    }

    @Test func conditions() throws {
        let rows = try rows("`when`")
        #expect(rows.count > 20)
        for row in rows {
            let when = try #require(code(row[0]))
            let set = try RuleSetUnderTest([rule { $0.when = when }])
            let outcome = set.send("orders.1", try #require(code(row[1])))
            #expect(outcome.results == [row[2] == "yes" ? .passed : .filteredPass], "\(row)")
        }
    }

    @Test func patterns() throws {
        for row in try rows("pattern") {
            let pattern = quoted(try #require(code(row[0])))
            let schema = try? JSONSchema(Array("{\"pattern\":\(pattern)}".utf8), file: "s.json")
            #expect((schema == nil) == (row[1] == "error"), "\(row)")
            guard let schema else { continue }
            var scratch = RuleScratch()
            for (cell, isValid) in [(row[1], true), (row[2], false)] {
                let text = quoted(try #require(code(cell)))
                #expect(
                    (validate(Array(text.utf8), schema, &scratch) == .valid) == isValid, "\(row)")
            }
        }
    }

    @Test func formats() throws {
        var options = SchemaOptions()
        options.assertsFormat = true
        let rows = try rows("format")
        let known = Set(rows.compactMap { code($0[0]) })
        for raw in UInt8.min..<20 where StringFormat(rawValue: raw) != nil {
            #expect(known.contains { StringFormat($0)?.rawValue == raw }, "format \(raw)")
        }
        for row in rows {
            let text = "{\"format\":\(quoted(try #require(code(row[0]))))}"
            let schema = try JSONSchema(Array(text.utf8), file: "s.json", options: options)
            var scratch = RuleScratch()
            for (cell, isValid) in [(row[1], true), (row[2], false)] {
                let text = quoted(try #require(code(cell)))
                #expect(
                    (validate(Array(text.utf8), schema, &scratch) == .valid) == isValid, "\(row)")
            }
        }
    }

    @Test func templates() throws {
        let payload = #"{"id":"ord-1","total":12.5,"n":-7,"paid":true,"note":"a b"}"#
        let header = "NATS/1.0\r\nRegion: eu\r\n\r\n"
        for row in try rows("template") {
            let template = try #require(code(row[0]))
            let to = try RuleSetUnderTest([rule("r", "orders.*.*") { $0.to = template }])
                .send("orders.new.42", payload, header: header)
            let field = try RuleSetUnderTest([rule("r", "orders.*.*") { $0.set("X", template) }])
                .send("orders.new.42", payload, header: header)
            let inTo = try #require(code(row[1]))
            #expect(to.subject == inTo || to.body.contains("\"code\":\"\(inTo)\""), "\(row) \(to)")
            let inField = try #require(code(row[2]))
            #expect(
                field.header?.contains("\r\nX: \(inField)\r\n") ?? false
                    || field.body.contains("\"code\":\"\(inField)\""), "\(row) \(field)")
        }
    }

    @Test("every code is there, with its status, and every example has it")
    func codes() throws {
        var expected: [String: Int] = [
            "header_too_large": 413, "reply_too_large": 413, "missing_value": 422, "bad_token": 422,
            "too_long": 422,
        ]
        for raw in UInt8.min...UInt8.max {
            guard let reason = JSONFailureReason(rawValue: raw) else { continue }
            expected["\(reason.name)"] = reason.isLimit ? 413 : 400
        }
        var documented: [String: Int] = [:]
        for row in try rows("status") {
            guard let name = code(row[1]) else { continue }
            documented[name] = Int(row[0])
            guard let example = code(row[2]) else { continue }
            let found = failure(example)
            #expect(found.map { "\($0.reason.name)" } == name, "\(row)")
        }
        #expect(documented == expected)
    }
}
