import Synchronization

/// When the whole process stood still: somebody had stopped it, its virtual machine was paused, or the host
/// had no time for it. Latency that others saw then is not the broker's.
public struct Standstills: Sendable {
    /// How often a thread that only sleeps was woken more than 20 ms late.
    public var count = 0
    /// The longest one, in nanoseconds.
    public var longestNanoseconds: UInt64 = 0
    /// All together, in nanoseconds.
    public var totalNanoseconds: UInt64 = 0
    /// When the last one ended, in nanoseconds since 1970, UTC; 0 for never.
    public var lastAt: UInt64 = 0

    /// None.
    public init() {}
}

/// A thread that sleeps a tenth of a second at a time and looks how late it is woken.
final class StandstillWatch: Sendable {
    static let intervalNanoseconds: UInt64 = 100_000_000
    /// The scheduler alone takes less, also where every core is busy.
    static let lateMin: UInt64 = 20_000_000
    static let loggedMin: UInt64 = 100_000_000
    static let logPauseNanoseconds: UInt64 = 10_000_000_000

    private let found = Guarded(Standstills())
    private let thread = Guarded<NativeThread?>(nil)
    private let isOver = ThreadSignal()
    /// Zero before the first time and after the last one.
    private let wokenAt = Atomic<UInt64>(0)
    /// The last standstill: when the thread should have been woken, and when it was.
    private let from = Atomic<UInt64>(0)
    private let to = Atomic<UInt64>(0)

    var soFar: Standstills { found.withLock { $0 } }

    /// - Parameter each: called ten times a second, since the thread is awake then.
    func start(
        _ events: any EventSink, _ each: @escaping @Sendable () -> Void
    ) throws(SystemFailure) {
        let thread = try NativeThread(name: "standstills", stackBytes: 128 << 10) { [self] in
            run(events, each)
        }
        self.thread.withLock { $0 = thread }
    }

    func stop() {
        isOver.raise()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    private func run(_ events: any EventSink, _ each: () -> Void) {
        var last = Clock.monotonicNanoseconds()
        var logDueAt: UInt64 = 0
        wokenAt.store(last, ordering: .relaxed)
        while !isOver.wait(atMost: Self.intervalNanoseconds) {
            let now = Clock.monotonicNanoseconds()
            let late = wasWoken(at: now, after: last)
            if late >= Self.loggedMin, now >= logDueAt {
                logDueAt = now + Self.logPauseNanoseconds
                events.record(.processStoodStill(nanoseconds: late))
            }
            last = now
            each()
        }
        wokenAt.store(0, ordering: .relaxed)
    }

    /// How long the process stood still, or 0.
    func wasWoken(at now: UInt64, after last: UInt64) -> UInt64 {
        let due = last + Self.intervalNanoseconds
        let late = now > due + Self.lateMin ? now - due : 0
        if late > 0 {
            found.withLock {
                $0.count += 1
                $0.longestNanoseconds = max($0.longestNanoseconds, late)
                $0.totalNanoseconds += late
                $0.lastAt = Clock.wallNanoseconds()
            }
            from.store(due, ordering: .relaxed)
            to.store(now, ordering: .relaxed)
        }
        wokenAt.store(now, ordering: .relaxed)
        return late
    }

    /// Whether most of this time was a standstill. It may have begun up to a tenth of a second before it is
    /// noticed, so short ones are not told from work.
    func isMost(ofTimeFrom start: UInt64, to end: UInt64) -> Bool {
        var from = self.from.load(ordering: .relaxed)
        var to = self.to.load(ordering: .relaxed)
        // A loop may run again before the watch does.
        let woken = wokenAt.load(ordering: .relaxed)
        let due = woken + Self.intervalNanoseconds
        if woken > 0, end > due + Self.lateMin { (from, to) = (due, end) }
        from = max(from, start)
        to = min(to, end)
        return to > from && to - from > (end - start) / 2
    }
}
