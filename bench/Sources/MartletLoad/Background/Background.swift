/// Something that goes on beside the load, a little at each tick.
protocol BackgroundActivity: AnyObject {
    /// Called a thousand times a second; `count` ticks have passed since the last call.
    func tick(_ count: Int) throws
    /// What it did, for the report.
    var counts: [(String, Int)] { get }
}

/// All that goes on beside the load, in the same thread: a little each millisecond, so that none of it
/// makes the load late.
final class Background {
    private let turns: Turns
    private let activities: [any BackgroundActivity]
    /// Never, if there is nothing to do.
    private(set) var nextTick: UInt64
    private static let tickNanoseconds: UInt64 = 1_000_000
    static let ticksPerSecond = 1_000
    /// Ticks that a late one makes up for; what is older is left out.
    private static let ticksMax = 50

    init(_ turns: Turns, _ activities: [any BackgroundActivity]) {
        self.turns = turns
        self.activities = activities
        nextTick = activities.isEmpty ? .max : nanosecondsNow()
    }

    /// Does what is due; says whether there was something.
    @inline(__always)
    func tick(_ now: UInt64) throws -> Bool {
        guard now >= nextTick else { return false }
        let count = Int((now - nextTick) / Self.tickNanoseconds) + 1
        nextTick += UInt64(count) * Self.tickNanoseconds
        for activity in activities { try activity.tick(min(count, Self.ticksMax)) }
        try turns.flush()
        return true
    }

    func add(to report: inout Report) {
        for activity in activities {
            for (name, count) in activity.counts { report.add(name, count) }
        }
    }
}

/// Spreads so many events a second over the ticks.
struct Pace {
    let perSecond: Int
    private var rest = 0

    init(perSecond: Int) { self.perSecond = perSecond }

    mutating func due(_ ticks: Int) -> Int {
        rest += ticks * perSecond
        defer { rest %= Background.ticksPerSecond }
        return rest / Background.ticksPerSecond
    }
}
