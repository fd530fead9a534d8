import Foundation
import Testing

@testable import MartletBroker

@Suite("ConfigurationReference")
struct ConfigurationReferenceTests {
    private static let path = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../docs/CONFIGURATION.md")

    @Test("docs/CONFIGURATION.md is what the tables say")
    func page() throws {
        let expected = ConfigurationReference.markdown
        if ProcessInfo.processInfo.environment["MARTLET_WRITE_REFERENCE"] != nil {
            try expected.write(to: Self.path, atomically: true, encoding: .utf8)
        }
        let page = try String(contentsOf: Self.path, encoding: .utf8)
        let lines = page.split(separator: "\n", omittingEmptySubsequences: false)
        let wanted = expected.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == wanted.count)
        for (line, wanted) in zip(lines, wanted) { #expect(line == wanted) }
    }

    @Test("each key says what it is, in one sentence, and what a reload does with it")
    func sentences() {
        for block in ConfigurationTable.ofConfiguration {
            for facts in block.keys.map(\.facts) {
                let name = block.name(of: facts)
                #expect(facts.summary.hasSuffix("."), "\(name)")
                #expect(!facts.takes.isEmpty, "\(name)")
                #expect(facts.names.allSatisfy { $0 == $0.lowercased() }, "\(name)")
            }
        }
    }
}
