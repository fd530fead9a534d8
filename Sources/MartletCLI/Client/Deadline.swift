/// Until when something may take.
struct Deadline {
    private let at: ContinuousClock.Instant

    static func after(seconds: Double) -> Deadline {
        Deadline(at: .now + .seconds(seconds))
    }

    /// As `poll` wants it, rounded up.
    var millisecondsLeft: Int32 {
        let left = ContinuousClock.now.duration(to: at) / .milliseconds(1)
        return Int32(max(0, min(left.rounded(.up), 1e9)))
    }
}
