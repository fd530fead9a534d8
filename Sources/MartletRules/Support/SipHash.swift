/// SipHash-1-3 over 64-bit words (Aumasson and Bernstein, 2012): nobody who does not know the key can
/// choose words that collide, whatever hashes of others are known.
struct SipHash {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    @inline(__always)
    init(_ seed: KeySeed) {
        v0 = seed.secret ^ 0x736F_6D65_7073_6575
        v1 = seed.factor ^ 0x646F_7261_6E64_6F6D
        v2 = seed.secret ^ 0x6C79_6765_6E65_7261
        v3 = seed.factor ^ 0x7465_6462_7974_6573
    }

    mutating func add(_ word: UInt64) {
        v3 ^= word
        mix()
        v0 ^= word
    }

    mutating func finish() -> UInt64 {
        v2 ^= 0xFF
        mix()
        mix()
        mix()
        return v0 ^ v1 ^ v2 ^ v3
    }

    @inline(__always)
    private mutating func mix() {
        v0 &+= v1
        v1 = Self.rotated(v1, 13) ^ v0
        v0 = Self.rotated(v0, 32)
        v2 &+= v3
        v3 = Self.rotated(v3, 16) ^ v2
        v0 &+= v3
        v3 = Self.rotated(v3, 21) ^ v0
        v2 &+= v1
        v1 = Self.rotated(v1, 17) ^ v2
        v2 = Self.rotated(v2, 32)
    }

    @inline(__always)
    private static func rotated(_ word: UInt64, _ by: UInt64) -> UInt64 {
        word &<< by | word &>> (64 &- by)
    }
}
