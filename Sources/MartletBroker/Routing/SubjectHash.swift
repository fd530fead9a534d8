import CMartletSystem

/// Hashes of tokens, subjects and subscription ids, with a secret seed, so that nobody can choose texts that
/// collide.
///
/// Each block of 8 bytes is a factor of a multiplication (as in wyhash). The seed is in both factors:
/// without it in the block's, a block that equals the constant there makes the product zero whatever
/// the seed is, and all texts with that block collide. SipHash would be the careful choice and costs
/// about five times as many instructions for a token of 8 bytes, on every miss of a match cache; what an
/// attacker lacks here is the seed, which never leaves the process, and any view of a hash but timing.
///
/// A subject's hash is its parent's (the subject less its last token) joined with its last token's:
/// one pass gives both keys of the match cache.
enum SubjectHash {
    private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15

    @inline(__always)
    static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = (a ^ 0x2D35_8DCC_AA6C_78A5).multipliedFullWidth(by: b ^ 0x8BB8_4B93_962E_ACC9)
        return product.high ^ product.low
    }

    /// The hash of bytes that need no slack behind them.
    @inline(__always)
    static func bytes(_ bytes: Bytes, _ count: Int, seed: UInt64) -> UInt64 {
        var hash = seed ^ (UInt64(truncatingIfNeeded: count) &* multiplier)
        let secret = seed.byteSwapped
        var i = 0
        while i &+ 8 <= count {
            hash = unsafe mix(hash, secret ^ martlet_load64(bytes + i))
            i &+= 8
        }
        let rest = count &- i
        if rest > 0 {
            var last: UInt64 = 0
            if rest >= 4 {
                let low = unsafe UInt64(martlet_load32(bytes + i))
                let high = unsafe UInt64(martlet_load32(bytes + (count &- 4)))
                last = low | high &<< 32
            } else {
                last =
                    unsafe UInt64(bytes[i])
                    | UInt64(bytes[i &+ rest &>> 1]) &<< 8
                    | UInt64(bytes[count &- 1]) &<< 16
            }
            hash = mix(hash, secret ^ last)
        }
        return mix(hash, multiplier)
    }

    @inline(__always)
    static func join(_ parent: UInt64, _ lastToken: UInt64) -> UInt64 {
        mix(parent &+ multiplier, lastToken)
    }

    /// Where the last token starts: 0 for a subject of one token.
    @inline(__always)
    static func lastTokenStart(_ bytes: Bytes, _ count: Int) -> Int {
        var i = count
        while i > 0 {
            if unsafe bytes[i &- 1] == .dot { return i }
            i &-= 1
        }
        return 0
    }
}
