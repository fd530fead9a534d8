import Glibc

/// Random numbers that a seed repeats: MARTLET_SEED, or one from the clock. It is printed, so that a
/// failure can be run again.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    public let seed: UInt64
    private var state: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// For a test of this name.
    public init(printedFor name: String) {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        let wanted = environment("MARTLET_SEED").flatMap { UInt64($0) }
        self.init(seed: wanted ?? UInt64(now.tv_nsec) ^ UInt64(now.tv_sec) << 20)
        print("\(name): MARTLET_SEED=\(seed)")
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

/// A variable of the process's environment.
public func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
}

/// Whether a sanitizer is at work, whose memory and time come on top.
public var isSanitized: Bool { environment("MARTLET_SANITIZED") == "1" }

/// Set for runs that may take long: `dev/test --all`.
public var isLongRun: Bool { environment("MARTLET_LONG_TESTS") == "1" }

/// Repetitions: a few in the usual run, all that are asked for in a long one.
public func repetitions(_ usual: Int, long: Int) -> Int { isLongRun ? long : usual }
