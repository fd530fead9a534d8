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
    let droppedMessages = Count()
    let stalls = Count()
    /// Of the match cache: answers without a lock, entries, and their destinations.
    let cacheHits = Count()
    let cachedRoutes = Count()
    let cachedDestinations = Count()
    let fanoutMax = Count()
    private let longestTurn = Atomic<UInt64>(0)

    @inline(__always)
    func noteTurn(_ nanoseconds: UInt64, stallThreshold: UInt64) {
        guard nanoseconds > longestTurn.load(ordering: .relaxed) || nanoseconds > stallThreshold
        else {
            return
        }
        if nanoseconds > longestTurn.load(ordering: .relaxed) {
            longestTurn.store(nanoseconds, ordering: .relaxed)
        }
        if nanoseconds > stallThreshold { stalls.add(1) }
    }

    var longestTurnNanoseconds: UInt64 { longestTurn.load(ordering: .relaxed) }
}
