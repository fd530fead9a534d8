internal import CMartletSystem

/// What keys are hashed with: drawn at start, so that nobody can choose keys that collide. Tables
/// of compiled schemas and scratch of one process share it.
struct KeySeed: BitwiseCopyable {
    let factors: martlet_key_seed

    static let process = KeySeed()

    /// Another seed than any before. High halves are odd, so that no key's word is lost in a product.
    init() {
        let all = UInt64.min...UInt64.max
        factors = martlet_key_seed(
            low: (.random(in: all), .random(in: all)),
            high: (.random(in: all) | 1, .random(in: all) | 1))
    }

    /// For hashes of other kinds: an odd number, and any.
    @inline(__always)
    var factor: UInt64 { factors.high.0 }
    @inline(__always)
    var secret: UInt64 { factors.low.0 }

    /// The hash that a scan gives the key.
    func hash(_ key: [UInt8]) -> UInt32 {
        let padded = key + [0, 0, 0, 0, 0, 0, 0, 0]
        return unsafe padded.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            return unsafe martlet_json_key_hash(start, key.count, factors)
        }
    }
}
