import Foundation
import MartletTestSupport
import Testing

@testable import MartletRules

/// The same documents, most of them with something wrong, to the scanner and to Python's json.
@Suite("The scanner's verdict is Python's")
struct JSONDifferentialTests {
    private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(
        .enabled(if: python != nil, "there is no python3"), arguments: 1...8 as ClosedRange<UInt64>)
    func verdictsAgree(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var documents: [[UInt8]] = []
        for _ in 0..<2_000 {
            var bytes = Array(Self.document(&random, depth: 0).utf8)
            for _ in 0..<random.below(3) { Self.mutate(&bytes, &random) }
            documents.append(bytes)
        }
        let verdicts = try Self.verdicts(documents)
        #expect(verdicts.count == documents.count)
        var accepted = 0
        for (bytes, isStrict) in zip(documents, verdicts) {
            let found = failure(bytes)
            if found?.code == 413 { continue }
            if found == nil { accepted += 1 }
            #expect(
                (found == nil) == isStrict,
                "seed \(seed): \(String(describing: found)): \(String(decoding: bytes, as: UTF8.self)) \(bytes)"
            )
        }
        #expect(accepted > 200 && accepted < 1_900)
    }

    private static func verdicts(_ documents: [[UInt8]]) throws -> [Bool] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("json_verdicts.py")
        let lines = documents.map {
            $0.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        let input = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-\(UUID().uuidString)")
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: input)
        defer { try? FileManager.default.removeItem(at: input) }
        let output = Pipe()
        let process = try ChildProcess(
            python!, [script.path], input: .file(input.path),
            output: .descriptor(output.fileHandleForWriting.fileDescriptor))
        try output.fileHandleForWriting.close()
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return answer.split(separator: 0x0A).map { $0.first == UInt8(ascii: "1") }
    }

    private static let fragments: [String] = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "\\ud83d\\ude00",
        "0", "01", "-", "1.", ".5",
        "e", "E+", "1e5", "true", "false", "null", "nul", " ", "\t", "\n", "\r", "\u{0}", "\u{1F}",
        "\u{7F}", "é", "😀",
        "\u{FEFF}", "NaN", "Infinity", "'", "/*", "\"a\":", "\"a\":1,", "\\/", "\\x", "\u{2028}",
    ]

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        let place = random.below(bytes.count + 1)
        switch random.below(5) {
        case 0: bytes.insert(contentsOf: Array(random.pick(fragments).utf8), at: place)
        case 1: if place < bytes.count { bytes.remove(at: place) }
        case 2: if place < bytes.count { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
        case 3: bytes.removeSubrange(place...)
        default: if place < bytes.count { bytes[place] ^= 1 << UInt8(random.below(8)) }
        }
    }

    private static func document(_ random: inout SeededRandom, depth: Int) -> String {
        func blank(_ random: inout SeededRandom) -> String {
            random.pick(["", "", "", " ", "\n", "\r\n\t  "])
        }
        switch random.below(depth > 3 ? 5 : 8) {
        case 0: return random.pick(["true", "false", "null"])
        case 1:
            return random.pick([
                "0", "-0", "1", "-17", "3.25", "1e9", "2E-3", "0.5e+2",
                "123456789012345678901234567890",
            ])
        case 2, 3, 4: return string(&random)
        case 5:
            let elements = (0..<random.below(5)).map { _ in
                blank(&random) + document(&random, depth: depth + 1) + blank(&random)
            }
            return "[" + elements.joined(separator: ",") + "]"
        default:
            let members = (0..<random.below(6)).map { index in
                // Now and then one that is there already.
                let key = random.below(12) == 0 ? "\"a\"" : string(&random, suffix: "\(index)")
                return
                    "\(blank(&random))\(key)\(blank(&random)):\(blank(&random))\(document(&random, depth: depth + 1))"
            }
            return "{" + members.joined(separator: ",") + blank(&random) + "}"
        }
    }

    private static func string(_ random: inout SeededRandom, suffix: String = "") -> String {
        let parts = (0..<random.below(6)).map { _ in
            random.pick([
                "a", "xyz", "a longer part of it", "é", "日本", "😀", "\\n", "\\\"", "\\\\", "\\u0061",
                "\\u00e9",
                "\\ud83d\\ude00", " ",
            ])
        }
        return "\"" + parts.joined() + suffix + "\""
    }
}
