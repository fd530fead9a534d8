import Foundation
import Logging
import MartletBroker
import Testing

@Suite("The example in README.md")
struct InProcessReadmeTests {
    @Test("compiles, runs, and stands in README.md as it is here", .timeLimit(.minutes(1)))
    func example() async throws {
        // README
        var configuration = BrokerConfiguration()
        configuration.port = -1  // any free port; dontListen = true takes none
        let broker = try Broker(configuration: configuration, logger: Logger(label: "broker"))
        try broker.start()
        let client = try await broker.connect(name: "example")
        let quotes = try await client.subscribe("quote.*")
        try await client.publish("42", to: "quote.ACME")
        for try await message in quotes {
            print(message.subject, message.text)  // quote.ACME 42
            break
        }
        await broker.shutdown()
        // README

        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let lines = source.components(separatedBy: "// README\n")[1].split(
            separator: "\n", omittingEmptySubsequences: false)
        let body = lines.map { $0.hasPrefix("        ") ? String($0.dropFirst(8)) : "" }
            .joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let readme = try String(
            contentsOf: root.standardizedFileURL.appending(path: "README.md"), encoding: .utf8)
        let block = "```swift\nimport Logging\nimport MartletBroker\n\n\(body)\n```\n"
        #expect(body.split(separator: "\n").count >= 10)
        #expect(readme.contains(block), "README.md should contain:\n\(block)")
    }
}
