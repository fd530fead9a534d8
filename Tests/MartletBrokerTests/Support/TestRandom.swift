import Foundation

@testable import MartletBroker

/// A seeded source for randomised tests, with the choices they make.
struct TestRandom: RandomNumberGenerator {
    private var source: RandomSource

    init(_ seed: UInt64) {
        source = RandomSource(seed: seed)
    }

    mutating func next() -> UInt64 { source.next() }

    /// 0..<bound.
    mutating func below(_ bound: Int) -> Int { source.below(bound) }

    mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }

    mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}

/// The seeds of a randomised test: the same ones every time, more of them with MARTLET_LONG_TESTS=1,
/// and MARTLET_SEED=n alone to repeat a failure.
func testSeeds(_ usual: Int) -> [UInt64] {
    let environment = ProcessInfo.processInfo.environment
    if let one = environment["MARTLET_SEED"].flatMap(UInt64.init) { return [one] }
    let count = environment["MARTLET_LONG_TESTS"] == "1" ? usual * 10 : usual
    return (1...UInt64(count)).map { $0 }
}

extension [UInt8] {
    var asText: String { String(decoding: self, as: UTF8.self) }
}

func array(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> [UInt8] {
    Array(UnsafeBufferPointer(start: bytes, count: count))
}
