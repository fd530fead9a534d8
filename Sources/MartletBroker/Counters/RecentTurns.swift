import Synchronization

/// The longest turns of the last minute, by windows of five seconds. The loop alone writes; others read
/// whenever they like.
struct RecentTurns: ~Copyable {
    static let windowNanoseconds: UInt64 = 5_000_000_000
    /// A minute's, and the one that is not over.
    static let windowCount = 13

    private struct Window: ~Copyable {
        let longest = Atomic<UInt64>(0)
        let endsAt = Atomic<UInt64>(0)
    }

    private let windows = InlineArray<13, Window> { _ in Window() }
    private let current = Atomic<Int>(0)
    /// Of the current window.
    private let endsAt = Atomic<UInt64>(0)
    private let longest = Atomic<UInt64>(0)

    /// - Parameter now: by the loop's clock.
    /// - Returns: whether no turn of its window was longer so far.
    @inline(__always)
    func record(_ nanoseconds: UInt64, at now: UInt64) -> Bool {
        if now >= endsAt.load(ordering: .relaxed) { beginWindow(now) }
        guard nanoseconds > longest.load(ordering: .relaxed) else { return false }
        recordLonger(nanoseconds)
        return true
    }

    @inline(never)
    private func recordLonger(_ nanoseconds: UInt64) {
        longest.store(nanoseconds, ordering: .relaxed)
        windows[current.load(ordering: .relaxed)].longest.store(nanoseconds, ordering: .relaxed)
    }

    @inline(never)
    private func beginWindow(_ now: UInt64) {
        let next = (current.load(ordering: .relaxed) + 1) % Self.windowCount
        let end = now &+ Self.windowNanoseconds
        windows[next].longest.store(0, ordering: .relaxed)
        windows[next].endsAt.store(end, ordering: .relaxed)
        current.store(next, ordering: .relaxed)
        longest.store(0, ordering: .relaxed)
        endsAt.store(end, ordering: .relaxed)
    }

    /// The longest turn of so much time and up to a window more.
    func longest(ofLast nanoseconds: UInt64, at now: UInt64) -> UInt64 {
        var longest: UInt64 = 0
        for i in 0..<Self.windowCount
        where windows[i].endsAt.load(ordering: .relaxed) &+ nanoseconds > now {
            longest = max(longest, windows[i].longest.load(ordering: .relaxed))
        }
        return longest
    }
}
