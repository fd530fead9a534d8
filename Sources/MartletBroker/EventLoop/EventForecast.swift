/// Whether the next event will come so soon that looking for it costs less than sleeping until it does.
///
/// It is believed while three of four come true. When it has failed, the loop sleeps again until some gaps
/// were short, twice as many each time: a load whose gaps are always a little too long costs little.
struct EventForecast: BitwiseCopyable {
    private(set) var expectsOneSoon = false
    /// A failure adds three, a success takes one away.
    private var debt = 0
    private var successes = 0
    /// Short gaps that the loop still sleeps through.
    private var sleepsLeft = EventForecast.sleepsMin
    private var sleepsNext = EventForecast.sleepsMin

    static let sleepsMin = 4
    static let sleepsMax = 1_024
    private static let failure = 3
    private static let debtMax = 2 * failure
    /// A gap that was slept through has the time in it that two sleepers take to wake, 20 to 40 µs.
    static let wakeNanoseconds: UInt64 = 40_000

    /// - Parameters:
    ///   - gap: between two turns, in nanoseconds.
    ///   - limit: how long the loop looks for events.
    @inline(__always)
    mutating func record(gap: UInt64, limit: UInt64) {
        if expectsOneSoon {
            recordLooking(wasSoon: gap <= limit)
        } else {
            recordSleeping(wasShort: gap <= limit + Self.wakeNanoseconds)
        }
    }

    private mutating func recordLooking(wasSoon: Bool) {
        guard !wasSoon else {
            successes += 1
            if successes >= Self.sleepsMax { sleepsNext = Self.sleepsMin }
            debt -= debt > 0 ? 1 : 0
            return
        }
        debt += Self.failure
        guard debt >= Self.debtMax else { return }
        expectsOneSoon = false
        sleepsLeft = sleepsNext
        sleepsNext = min(2 * sleepsNext, Self.sleepsMax)
    }

    private mutating func recordSleeping(wasShort: Bool) {
        guard wasShort else {
            sleepsLeft = max(sleepsLeft, Self.sleepsMin)
            return
        }
        sleepsLeft -= 1
        guard sleepsLeft <= 0 else { return }
        expectsOneSoon = true
        debt = 0
        successes = 0
    }
}
