import Foundation
import MartletRules

/// Scratch takes a while to make. With a lock that the thread sanitizer sees.
private nonisolated(unsafe) var sharedScratch = RuleScratch()
private let scratchLock = NSLock()

/// What a scan says of bytes.
func failure(_ bytes: [UInt8], limits: JSONLimits? = nil) -> JSONFailure? {
    if let limits {
        var scratch = RuleScratch(limits: limits)
        return failure(bytes, in: &scratch)
    }
    return scratchLock.withLock { failure(bytes, in: &sharedScratch) }
}

private func failure(_ bytes: [UInt8], in scratch: inout RuleScratch) -> JSONFailure? {
    scan(bytes, in: &scratch) { outcome in
        if case .failure(let failure) = outcome { return failure }
        return nil
    }
}

func failure(_ text: String, limits: JSONLimits? = nil) -> JSONFailure? {
    failure(Array(text.utf8), limits: limits)
}

/// Scans exactly these bytes: the address sanitizer finds a read behind them.
func scan<Result>(
    _ bytes: [UInt8], in scratch: inout RuleScratch, _ use: (JSONOutcome) throws -> Result
) rethrows -> Result {
    let exact = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
    defer { exact.deallocate() }
    exact.update(from: bytes, count: bytes.count)
    return try use(scratch.scan(exact, count: bytes.count))
}

/// A seeded source for randomised tests (SplitMix64).
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
}
