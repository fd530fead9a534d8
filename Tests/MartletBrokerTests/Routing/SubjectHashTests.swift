import MartletTestSupport
import Testing

@testable import MartletBroker

/// Keys chosen against the hash by somebody who knows everything but the seed.
@Suite struct SubjectHashTests {
    private func hash(_ text: [UInt8], _ seed: UInt64) -> UInt64 {
        SubjectHash.bytes(text, text.count, seed: seed)
    }

    private func bytes(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    /// A block that equals the constant of the multiplication made every hash the same, under any seed.
    @Test(arguments: testSeeds(20))
    func noBlockMakesTheHashForgetWhatCameBefore(seed: UInt64) {
        let blocks: [UInt64] = [
            0x8BB8_4B93_962E_ACC9, 0x2D35_8DCC_AA6C_78A5, 0x9E37_79B9_7F4A_7C15, 0, .max,
        ]
        for block in blocks {
            let hashes = Set((0..<1_000).map { hash(bytes(UInt64($0)) + bytes(block), seed) })
            #expect(hashes.count == 1_000, "seed \(seed), block \(block)")
        }
    }

    /// The places that a table of 2^16 would give to 10,000 keys of one pattern are spread as by chance.
    @Test(arguments: testSeeds(5))
    func keysOfOnePatternAreSpread(seed: UInt64) {
        let patterns: [(Int) -> [UInt8]] = [
            { Array("sub\($0)".utf8) },
            { self.bytes(UInt64($0) &* 0x0101_0101_0101_0101) },
            { Array(String(format8($0)).utf8) + self.bytes(0x8BB8_4B93_962E_ACC9) },
            { Array(repeating: UInt8(ascii: "a"), count: $0 % 500) + self.bytes(UInt64($0) << 32) },
        ]
        for (number, pattern) in patterns.enumerated() {
            var load = [Int](repeating: 0, count: 1 << 16)
            for i in 0..<10_000 { load[Int(hash(pattern(i), seed) & 0xFFFF)] += 1 }
            #expect((load.max() ?? 0) < 8, "seed \(seed), pattern \(number)")
        }
    }
}

private func format8(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
}
