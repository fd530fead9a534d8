import Foundation
import MartletTestSupport
import Testing

@testable import MartletCLI

@Suite("Rules in the documentation", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct DocumentedRulesTests {
    /// What stands between ```, in the order of the page.
    private static func blocks(in path: String) throws -> [String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let text = try String(
            contentsOf: root.appending(path: path).standardizedFileURL, encoding: .utf8)
        return text.components(separatedBy: "```")
            .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    }

    @Test("can be used as they stand", arguments: ["README.md", "docs/RULES.md"])
    func areValid(path: String) async throws {
        let blocks = try Self.blocks(in: path).filter { $0.hasPrefix("rules {") }
        #expect(blocks.count == 1)
        for block in blocks {
            let directory = try RulesDirectory("port: -1\n\(block)\n")
            try directory.write("schemas/order.json", RulesDirectory.schema)
            let process = try MartletProcess(["rules", "check", "-c", directory.configuration])
            #expect(try await process.exitCode() == 0, "\(process.output)\(process.log)")
        }
    }

    @Test("the message of README.md meets its schema, becomes what it says, and there is one note")
    func readme() async throws {
        let blocks = try Self.blocks(in: "README.md")
        let rules = try #require(blocks.first { $0.hasPrefix("rules {") })
        let json = blocks.filter { $0.hasPrefix("json") }.map { String($0.dropFirst(5)) }
        try #require(json.count == 2)
        let directory = try RulesDirectory("port: -1\n\(rules)\n")
        try directory.write("order.json", json[0])
        // As an editor writes it.
        try directory.write("message.json", json[1] + "\n")
        let test = try MartletProcess([
            "rules", "test", "-c", directory.configuration, "--subject", "orders.new",
            "--file", "\(directory.path)/message.json",
        ])
        #expect(try await test.exitCode() == 0)
        let result = test.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(blocks.contains(result), "\(result)\(test.log)")
        let check = try MartletProcess(["rules", "check", "-c", directory.configuration])
        #expect(try await check.exitCode() == 0)
        #expect(check.output.components(separatedBy: "note: ").count == 2, "\(check.output)")
    }
}
