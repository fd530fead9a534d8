import Foundation
import Testing

/// The first line of each file of the message path says where it is and which file is next; a reader
/// who follows them meets the path in its order.
@Suite struct MessagePathChainTests {
    private static let chain = [
        "BrokerLoop", "Listener", "Connection", "Transport", "ReadBuffer", "Parser", "Operation",
        "Dispatch",
        "Handshake", "Subscribe", "Publish", "Delivery", "MessageEncoder", "OutboundQueue", "Flush",
    ]

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Sources/MartletBroker/MessagePath").standardized

    private static func firstLine(_ name: String) throws -> String {
        let text = try String(contentsOf: folder.appending(path: "\(name).swift"), encoding: .utf8)
        return String(text.prefix { $0 != "\n" })
    }

    @Test func eachStepNamesTheNext() throws {
        for (i, name) in Self.chain.enumerated() {
            let line = try Self.firstLine(name)
            #expect(line.hasPrefix("// Message path, step \(i): "), "\(name): \(line)")
            let isLast = i + 1 == Self.chain.count
            let end = isLast ? " The end of the path." : ". Next: \(Self.chain[i + 1]).swift."
            #expect(line.hasSuffix(end), "\(name): \(line)")
        }
    }

    @Test func everyOtherFileSaysWhatItStandsBeside() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasSuffix(".swift") }.map { String($0.dropLast(6)) }
        #expect(names.count > Self.chain.count)
        for name in names where !Self.chain.contains(name) {
            let line = try Self.firstLine(name)
            let match = try #require(
                line.wholeMatch(of: /\/\/ Message path, beside ([A-Za-z+]+)\.swift: .+/),
                "\(name): \(line)")
            #expect(
                names.contains(String(match.1)),
                "\(name) stands beside \(match.1), which there is not")
        }
    }
}
