import Foundation
import MartletBroker
import MartletTestSupport
import Testing

@Suite("The examples in docs/EMBEDDING.md", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct HandlerDocumentTests {
    @Test("compile, run, and stand there as they are here")
    func examples() async throws {
        try await withBroker { broker in
            let client = try await broker.connect()
            // DOCUMENT
            let quotes = try broker.respond(to: "quote.*", fields: ["/amount"]) { request in
                guard let amount = try request.integer("/amount") else {
                    throw ServiceError(code: 422, description: "/amount must be a whole number")
                }
                try request.reply("{\"total\":\(amount * 3)}")
            }
            let answer = try await client.request("{\"amount\":14}", to: "quote.ACME")
            print(answer.text)  // {"total":42}
            quotes.cancel()
            await quotes.waitUntilEnded()
            // DOCUMENT
            try broker.respond(to: "status", inFlightMax: 100) { message in
                try await Task.sleep(for: .milliseconds(1))
                return HandlerReply("\(message.text) is fine")
            }
            // DOCUMENT
            #expect(answer.text == "{\"total\":42}")
            #expect(try await client.request("all", to: "status").text == "all is fine")
        }

        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let document = try String(
            contentsOf: root.standardizedFileURL.appending(path: "docs/EMBEDDING.md"),
            encoding: .utf8)
        let parts = source.components(separatedBy: "            // DOCUMENT\n")
        for part in parts[1...2] {
            let lines = part.split(separator: "\n", omittingEmptySubsequences: false)
            let body = lines.map { String($0.dropFirst(12)) }.joined(separator: "\n")
            #expect(document.contains("```swift\n\(body)```\n"), "it should contain:\n\(body)")
        }
    }
}
