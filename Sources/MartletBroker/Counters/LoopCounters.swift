import Synchronization

/// What one loop has counted. The loop alone writes, with a plain load and store each; others read
/// whenever they like and add the loops up.
struct LoopCounters: ~Copyable {
    struct Count: ~Copyable {
        private let value = Atomic<UInt64>(0)

        @inline(__always)
        func add(_ amount: Int) {
            value.store(
                value.load(ordering: .relaxed) &+ UInt64(truncatingIfNeeded: amount),
                ordering: .relaxed)
        }

        var total: Int { Int(truncatingIfNeeded: value.load(ordering: .relaxed)) }
    }

    let messagesIn = Count()
    let messagesOut = Count()
    let bytesIn = Count()
    let bytesOut = Count()
    /// Open connections and subscriptions now: added to and taken from.
    let connections = Count()
    let connectionsTotal = Count()
    let subscriptions = Count()
    let slowConsumersByBytes = Count()
    let slowConsumersByDeadline = Count()
    let staleConnections = Count()
    let pausedPublishers = Count()
    /// Connections that are not read now, by the bit of the reason in `PauseReasons`.
    let paused = InlineArray<16, Count> { _ in Count() }
    let droppedMessages = Count()
    let stalls = Count()
    /// What turns took together, in nanoseconds.
    let busyNanoseconds = Count()
    /// Of the match cache: answers without a lock, entries, and their destinations.
    let cacheHits = Count()
    let cachedRoutes = Count()
    let cachedDestinations = Count()
    let fanoutMax = Count()
    /// Turns by how long they took.
    let turns = InlineArray<16, Count> { _ in Count() }
    let recentTurns = RecentTurns()
    private let longestTurn = Atomic<UInt64>(0)

    /// - Parameter now: by the loop's clock.
    @inline(__always)
    func recordTurn(_ nanoseconds: UInt64, at now: UInt64) {
        turns[TurnHistogram.bucket(of: nanoseconds)].add(1)
        busyNanoseconds.add(Int(truncatingIfNeeded: nanoseconds))
        // The longest one of all is the longest one of its window too.
        if recentTurns.record(nanoseconds, at: now),
            nanoseconds > longestTurn.load(ordering: .relaxed)
        {
            longestTurn.store(nanoseconds, ordering: .relaxed)
        }
    }

    var longestTurnNanoseconds: UInt64 { longestTurn.load(ordering: .relaxed) }
}
