import Testing

@testable import MartletRules

/// What a table has to look at is counted, not timed: for n keys in a table of n buckets or more,
/// chance makes a key meet about half another one.
@Suite("Keys that somebody chose collide no more than others")
struct ChosenKeyTests {
    /// Bytes that a key differs in, and how many bytes it has.
    typealias Choice = (places: [Int], length: Int)

    static let choices: [Choice] = [
        ([6], 7), ([5, 6], 7), ([6, 7], 8), ([7, 8], 9), ([7, 15], 16), ([6, 7, 14, 15], 16),
        ([7, 8, 15, 16], 17), ([7, 8, 15, 16], 24), ([0, 8, 16, 24], 32), ([15, 23, 31], 40),
    ]

    /// Keys that are alike but for some bytes, which are ASCII so that a document can have them.
    private func keys(_ choice: Choice, count: Int) -> [[UInt8]] {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        var all = 1
        for _ in choice.places where all < count { all *= digits.count }
        return (0..<min(count, all)).map { number in
            var key = [UInt8](repeating: UInt8(ascii: "k"), count: choice.length)
            var rest = number
            for place in choice.places {
                key[place] = digits[rest % digits.count]
                rest /= digits.count
            }
            return key
        }
    }

    /// How many others each of these meets in its bucket, on the average.
    private func meetings(_ hashes: [UInt32]) -> Double {
        let table = EntryTable(entries: hashes.count, tapeCount: hashes.count)
        defer { table.free() }
        table.forgetAll()
        var met = 0
        for (entry, hash) in hashes.enumerated() {
            var other = table.first(hash)
            while other >= 0 {
                met += 1
                other = table.next(other)
            }
            table.put(entry, of: 0, hash)
        }
        return Double(met) / Double(hashes.count)
    }

    @Test("member names", arguments: choices)
    func memberNames(choice: Choice) {
        for _ in 0..<5 {
            let seed = KeySeed()
            let found = meetings(keys(choice, count: 4_000).map { seed.hash($0) })
            #expect(found < 4, "\(found) of \(choice) with \(seed)")
        }
    }

    /// Values of an array, as `uniqueItems` and enums see them: what a hash without a key lets anybody
    /// choose, the colliding strings of FNV and of Java among them.
    private static let values: [[String]] = [
        (0..<4_096).map { number in
            let pairs = (0..<12).map { number >> $0 & 1 == 0 ? "Aa" : "BB" }
            return "\"\(pairs.joined())\""
        },
        (0..<4_000).map { "\"\(String(repeating: "\\u0000", count: $0 % 6))\($0)\"" },
        (0..<4_000).map { "\($0 + 1)000000000000000000" },
        (0..<4_000).map { "0.\(1_000_000 + $0)e-\($0)" },
        (0..<1_000).map { "[\($0),[\(999 - $0)]]" },
        (0..<1_000).map { "{\"a\":\($0),\"b\":\(999 - $0)}" },
        (0..<1_000).map { "{\"a\":\($0 / 30),\"b\":\($0 % 30)}" },
    ]

    @Test("elements of an array", arguments: values.indices)
    func elements(index: Int) {
        let values = Self.values[index]
        var scratch = RuleScratch()
        let text = Array("[\(values.joined(separator: ","))]".utf8)
        scan(text, in: &scratch) { outcome in
            guard case .document(let document) = outcome else {
                return #expect(Bool(false), "\(outcome)")
            }
            let all = Values(bytes: document.bytes, tape: document.tape)
            let stack = ValueStack(depth: 8)
            defer { stack.free() }
            for _ in 0..<5 {
                let seed = KeySeed()
                var hashes: [UInt64] = []
                var element = 1
                var work = Work(.max)
                while element < document.entryCount {
                    hashes.append(all.hash(element, seed, stack, &work))
                    element = document.tape.index(after: element)
                }
                #expect(hashes.count == values.count && Set(hashes).count == values.count)
                #expect(meetings(hashes.map { UInt32(truncatingIfNeeded: $0) }) < 2, "\(seed)")
                #expect(
                    meetings(hashes.map { UInt32(truncatingIfNeeded: $0 >> 32) }) < 2, "\(seed)")
            }
        }
    }

    @Test("a large object with chosen names is scanned as any other", arguments: choices)
    func largeObjects(choice: Choice) {
        let members = keys(choice, count: 4_000).map {
            "\"\(String(decoding: $0, as: UTF8.self))\":0"
        }
        #expect(failure("{" + members.joined(separator: ",") + "}") == nil)
        let again = "{" + (members + [members[members.count / 2]]).joined(separator: ",") + "}"
        #expect(failure(again)?.reason == .duplicateKey || members.count == 4_000)
    }
}
