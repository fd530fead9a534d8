internal import CMartletSystem

/// What keys are hashed with: drawn at start, so that nobody can choose keys that collide. Tables
/// of compiled schemas and scratch of one process share it.
struct KeySeed: BitwiseCopyable {
    let factor: UInt64
    let secondFactor: UInt64

    static let process = KeySeed(
        factor: .random(in: .min ... .max) | 1, secondFactor: .random(in: .min ... .max) | 1)

    /// The hash that a scan gives the key.
    func hash(_ key: [UInt8]) -> UInt32 {
        let padded = key + [0, 0, 0, 0, 0, 0, 0, 0]
        return unsafe padded.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            return unsafe martlet_json_key_hash(start, key.count, factor, secondFactor)
        }
    }
}
