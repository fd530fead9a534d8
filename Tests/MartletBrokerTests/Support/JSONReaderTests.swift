import Foundation
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct JSONReaderTests {
    private func read(_ bytes: [UInt8]) -> JSONReader.Value? {
        (bytes + [0]).withUnsafeBufferPointer {
            var reader = JSONReader($0.baseAddress!, bytes.count)
            return reader.document()
        }
    }

    @Test(arguments: testSeeds(20))
    func readsWhatFoundationReads(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<60 {
            let document = Self.randomValue(&random, depth: 0)
            let bytes = Array(document.utf8)
            let theirs = try JSONSerialization.jsonObject(
                with: Data(bytes), options: .fragmentsAllowed)
            let ours = try #require(read(bytes), "seed \(seed): \(document)")
            #expect(Self.areEqual(ours, theirs), "seed \(seed): \(document)")
        }
    }

    /// A document with one byte changed is accepted only if Foundation accepts it, which is more lenient:
    /// it takes a comma before the end of an array.
    @Test(arguments: testSeeds(20))
    func refusesWhatFoundationRefuses(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<100 {
            var bytes = Array(Self.randomValue(&random, depth: 0).utf8.filter { $0 < 0x80 })
            let i = random.below(bytes.count)
            bytes[i] = UInt8(
                ascii: random.pick([
                    "{", "}", "[", "]", ",", ":", "\"", "1", "e", "-", ".", " ", "t", "\\",
                ]))
            let theirs = try? JSONSerialization.jsonObject(
                with: Data(bytes), options: .fragmentsAllowed)
            // Foundation wants numbers that a Double holds, and pairs of surrogates.
            let text = bytes.asText
            guard !text.contains(where: { "eE\\".contains($0) }) else { continue }
            #expect(read(bytes) == nil || theirs != nil, "seed \(seed): \(text)")
        }
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "01", "-", "1.", ".5", "1e", "+1", "{,}", "[1,]", "[,1]",
        "{\"a\"}", "{\"a\":}",
        "{a:1}", "\"", "\"\\x\"", "\"\\u12\"", "\"\u{1}\"", "1 2", "]", "{\"a\":1,}", "tru", "TRUE",
        "'a'",
    ])
    func isNoDocument(_ text: String) {
        #expect(read(Array(text.utf8)) == nil)
    }

    @Test func stringsHaveTheirEscapes() {
        guard
            case .string(let text) = read(
                Array(#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00""#.utf8))
        else {
            Issue.record("not a string")
            return
        }
        #expect(text == "\"\\/\u{8}\u{c}\n\r\tAé😀")
        guard case .string("\u{FFFD}x") = read(Array(#""\ud83dx""#.utf8)) else {
            Issue.record("half a pair is not replaced")
            return
        }
        guard case .string("\u{FFFD}") = read([0x22, 0xFF, 0x22]) else {
            Issue.record("invalid UTF-8 is not replaced")
            return
        }
    }

    @Test func depthHasAnEnd() {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 200_000)
        #expect(read(deep) == nil)
        #expect(
            read(
                [UInt8](repeating: UInt8(ascii: "["), count: 500)
                    + [UInt8](repeating: UInt8(ascii: "]"), count: 500)) != nil)
    }

    // MARK: Random documents

    private static func randomValue(_ random: inout SeededRandom, depth: Int) -> String {
        let space = random.pick(["", "", " ", "\n\t "])
        switch random.below(depth > 4 ? 5 : 8) {
        case 0: return space + random.pick(["true", "false", "null"]) + space
        case 1: return "\(random.below(1_000_000) - 500_000)"
        case 2: return random.pick(["0", "-0.5", "1.25", "12e3", "1E-2", "0.0625", "-7"])
        case 3...4: return space + randomString(&random)
        case 5...6:
            let items = (0..<random.below(5)).map { _ in randomValue(&random, depth: depth + 1) }
            return "[" + items.joined(separator: ",") + "]" + space
        default:
            // Each name once: Foundation does not say which of several it takes.
            let members = (0..<random.below(5)).map { i in
                "\"k\(i)\"\(space):" + randomValue(&random, depth: depth + 1)
            }
            return "{" + space + members.joined(separator: ",") + "}"
        }
    }

    private static func randomString(_ random: inout SeededRandom) -> String {
        let pieces = [
            "a", "hello", " ", "é", "😀", #"\n"#, #"\""#, #"\\"#, #"\u0041"#, #"\ud83d\ude00"#, "/",
            #"\/"#,
        ]
        return "\"" + (0..<random.below(6)).map { _ in random.pick(pieces) }.joined() + "\""
    }

    private static func areEqual(_ ours: JSONReader.Value, _ theirs: Any) -> Bool {
        switch ours {
        case .null: return theirs is NSNull
        case .bool(let flag): return theirs as? Bool == flag
        case .number(let text): return (theirs as? NSNumber)?.doubleValue == Double(text)
        case .string(let text): return theirs as? String == text
        case .array(let items):
            guard let others = theirs as? [Any], others.count == items.count else { return false }
            return zip(items, others).allSatisfy { areEqual($0, $1) }
        case .object(let members):
            guard let others = theirs as? [String: Any], others.count == members.count else {
                return false
            }
            return members.allSatisfy { key, value in
                others[key].map { areEqual(value, $0) } ?? false
            }
        }
    }
}
