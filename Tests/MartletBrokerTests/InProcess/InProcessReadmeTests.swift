import Foundation
import Logging
import MartletBroker
import MartletRules
import MartletTestSupport
import Testing

@Suite("The examples in the documents")
struct InProcessReadmeTests {
    @Test(
        "compiles, runs, and stands in README.md as it is here",
        .timeLimit(.minutes(isSanitized ? 10 : 1)))
    func readme() async throws {
        // README.md
        var configuration = BrokerConfiguration()
        configuration.dontListen = true  // or a port for others: 4222, unless another is set
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
        // README.md
        try expectExample(of: "README.md", imports: ["Logging", "MartletBroker"])
    }

    @Test(
        "compiles, runs, and stands in EMBEDDING.md as it is here",
        .timeLimit(.minutes(isSanitized ? 10 : 1)))
    func embedding() async throws {
        // docs/EMBEDDING.md
        var configuration = BrokerConfiguration()
        configuration.dontListen = true
        configuration.accounts = ["shop"]
        configuration.authorization.users = [
            .init(name: "ann", password: "secret", account: "shop")
        ]
        var orders = RuleDefinition(name: "orders", subject: "orders.*")
        orders.account = "shop"
        orders.validation = .json
        var rules = RulesConfiguration()
        rules.definition.rules = [orders]
        configuration.rules = rules
        let broker = try Broker(configuration: configuration, logger: Logger(label: "broker"))
        try broker.start()
        let ann = try await broker.connect(
            name: "orders", credentials: .user("ann", password: "secret"))
        try await ann.publish("{\"id\":", to: "orders.new")
        do {
            try await ann.flush()  // the broker has seen what was published, or says what is wrong
        } catch {
            print(error.code)  // permission: the rule does not let it through
        }
        await broker.shutdown()
        // docs/EMBEDDING.md
        try expectExample(
            of: "docs/EMBEDDING.md", imports: ["Logging", "MartletBroker", "MartletRules"])
    }

    /// The lines of this file between two comments that name a document stand there as a block.
    private func expectExample(of document: String, imports: [String]) throws {
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let lines = source.components(separatedBy: "// \(document)\n")[1].split(
            separator: "\n", omittingEmptySubsequences: false)
        let body = lines.map { $0.hasPrefix("        ") ? String($0.dropFirst(8)) : "" }
            .joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let text = try String(
            contentsOf: root.standardizedFileURL.appending(path: document), encoding: .utf8)
        let head = imports.map { "import \($0)\n" }.joined()
        let block = "```swift\n\(head)\n\(body)\n```\n"
        #expect(body.split(separator: "\n").count >= 10)
        #expect(text.contains(block), "\(document) should contain:\n\(block)")
    }
}
