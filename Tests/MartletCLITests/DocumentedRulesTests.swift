import Foundation
import MartletTestSupport
import Testing

@testable import MartletCLI

@Suite("Rules in the documentation", .timeLimit(.minutes(1)))
struct DocumentedRulesTests {
    /// The blocks between ``` that begin with `rules {`.
    private static func blocks(in path: String) throws -> [String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let text = try String(
            contentsOf: root.appending(path: path).standardizedFileURL, encoding: .utf8)
        return text.components(separatedBy: "```")
            .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
            .filter { $0.hasPrefix("rules {") }
    }

    @Test("can be used as they stand", arguments: ["README.md", "docs/RULES.md"])
    func areValid(path: String) async throws {
        let blocks = try Self.blocks(in: path)
        #expect(blocks.count == 1)
        for block in blocks {
            let directory = try RulesDirectory("port: -1\n\(block)\n")
            try directory.write("schemas/order.json", RulesDirectory.schema)
            let process = try MartletProcess(["rules", "check", "-c", directory.configuration])
            #expect(try await process.exitCode() == 0, "\(process.output)\(process.log)")
        }
    }
}
