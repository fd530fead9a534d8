/// A token bucket each for messages and bytes, kept as the moment at which it would be full again.
struct RateLimit: BitwiseCopyable {
    private var messagesFullAt: UInt64 = 0
    private var bytesFullAt: UInt64 = 0

    /// What may come at once: a tenth of a second's worth.
    private static let burstNanoseconds: UInt64 = 100_000_000

    /// Takes one message out; the moment until which reading should pause, or 0.
    @inline(__always)
    mutating func take(
        bytes: Int, at now: UInt64, messagesPerSecond: Int, bytesPerSecond: Int
    ) -> UInt64 {
        var until: UInt64 = 0
        if messagesPerSecond > 0 {
            let cost = 1_000_000_000 / UInt64(messagesPerSecond)
            until = max(until, Self.take(cost, from: &messagesFullAt, at: now))
        }
        if bytesPerSecond > 0 {
            let cost = UInt64(bytes) &* 1_000_000_000 / UInt64(bytesPerSecond)
            until = max(until, Self.take(cost, from: &bytesFullAt, at: now))
        }
        return until
    }

    private static func take(_ cost: UInt64, from fullAt: inout UInt64, at now: UInt64) -> UInt64 {
        fullAt = max(fullAt, now) &+ cost
        return fullAt > now &+ burstNanoseconds ? fullAt &- burstNanoseconds : 0
    }
}
