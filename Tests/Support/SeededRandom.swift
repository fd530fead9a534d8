import Glibc

/// Random numbers that a seed repeats, and the choices that tests make with them (SplitMix64).
public struct SeededRandom: RandomNumberGenerator, Sendable {
    public let seed: UInt64
    private var state: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// For a test of this name: from MARTLET_SEED or the clock, and printed, so that a failure can be
    /// run again.
    public init(printedFor name: String) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        self.init(seed: wantedSeed ?? UInt64(now.tv_nsec) ^ UInt64(now.tv_sec) << 20)
        print("\(name): MARTLET_SEED=\(seed)")
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// 0..<bound, the same for a seed whatever the standard library does.
    public mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    public mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }

    public mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}

private let wantedSeed = environment("MARTLET_SEED").flatMap { UInt64($0) }

/// The seeds of a randomised test: the same ones every time, ten times as many in a long run, and
/// MARTLET_SEED alone to repeat a failure.
public func testSeeds(_ few: Int) -> [UInt64] {
    if let wantedSeed { return [wantedSeed] }
    return Array(1...UInt64(repetitions(few, long: few * 10)))
}

/// Bytes that differ by seed and place, so that a mix-up shows.
public func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ ($0 >> 8) &+ seed &* 17) }
}
