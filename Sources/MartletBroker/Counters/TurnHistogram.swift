/// How long the turns of loops took, in powers of two: up to 1 µs, 2 µs, … 16 ms, and longer.
public struct TurnHistogram: Sendable, Equatable {
    static let bucketCount = 16

    /// Turns in each bucket, the fastest first.
    public internal(set) var counts = [Int](repeating: 0, count: bucketCount)

    /// The longest turn that each bucket but the last one counts, in nanoseconds.
    public static let bounds: [UInt64] = (0..<UInt64(bucketCount - 1)).map { 1_024 << $0 }

    @inline(__always)
    static func bucket(of nanoseconds: UInt64) -> Int {
        min(bucketCount - 1, UInt64.bitWidth - (nanoseconds &>> 10).leadingZeroBitCount)
    }
}
