import Foundation
import Glibc
import MartletTestSupport
import Testing

@Suite("The example Examples/order-service", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct OrderServiceTests {
    @Test("answers as its README says")
    func answers() throws {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let output = Pipe()
        // What it prints is read before it ends, so it may not be kept in a buffer.
        let process = try ChildProcess(
            "/usr/bin/stdbuf",
            ["-oL", own.deletingLastPathComponent().appending(path: "OrderService").path],
            output: .descriptor(output.fileHandleForWriting.fileDescriptor))
        defer {
            process.signal(SIGTERM)
            process.waitUntilExit()
        }
        try output.fileHandleForWriting.close()
        var line = ""
        while !line.contains("\n") {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "it ended: \(line)")
            line += String(decoding: more, as: UTF8.self)
        }
        let port = try #require(Int(line.split(separator: ":").last!.dropLast()))
        let client = try RawClient(port: port)
        try client.connect()

        let readme = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../../Examples/order-service/README.md").standardizedFileURL,
            encoding: .utf8)
        let lines = readme.split(separator: "\n").filter { $0.hasPrefix("martlet request") }
        #expect(lines.count == 4)
        try client.send("SUB answers 1\r\n")
        for line in lines {
            let parts = line.split(separator: "'")
            let subject = parts[0].split(separator: " ")[2]
            let expected = parts[2].drop { $0 == " " || $0 == "#" }
            try client.send("PUB \(subject) answers \(parts[1].utf8.count)\r\n\(parts[1])\r\n")
            let answer = try #require(try client.next()?.message)
            if let error = expected.wholeMatch(of: /(\d{3}) (.*)/)?.output {
                #expect(answer.header.contains("Nats-Service-Error-Code: \(error.1)\r\n"))
                #expect(answer.header.contains("Nats-Service-Error: \(error.2)\r\n"))
            } else {
                #expect(answer.text == expected && answer.header.isEmpty)
            }
        }
    }
}
