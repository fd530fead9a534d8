/// Connections that one loop is to give to another, so that the work is where there is room for it.
struct Relief: Equatable, Sendable {
    let from: Int
    let to: Int
    /// Of the work that the loop has, so much goes at most.
    let part: Double
    let connectionsMax: Int
}

/// Decides when loops give connections to each other: it looks ten times a second what share of the time each works.
///
/// Far apart are what makes a loop give some away and what brings all together again, and after each decision it
/// waits to see what comes of it: nothing goes back and forth.
struct Balance {
    /// A loop that works for more of the time than this, twice in a row, gives some away.
    static let fullShareMin = 0.8
    /// Only to one that works for less than this.
    static let roomShareMax = 0.5
    /// All loops together work for less than this, for so many looks: then one loop is enough.
    static let oneLoopShareMax = 0.3
    static let quietLooksMin = 20
    static let looksBetweenReliefs = 4
    static let connectionsPerRelief = 8
    /// Slowly, since it is not urgent: four a second at most.
    static let connectionsPerReturn = 2
    /// A loop that works for less has nothing that costs anything where it is.
    static let returnShareMin = 0.002

    private var full: Int?
    private var quietLooks = 0
    private var looksToWait = 0

    /// - Parameter shares: of each loop, the share of the time since the last look in which it worked.
    mutating func look(_ shares: [Double]) -> Relief? {
        guard let most = shares.max(), let least = shares.min(),
            let busiest = shares.firstIndex(of: most), let idlest = shares.firstIndex(of: least)
        else { return nil }
        let wasFull = full
        full = most >= Self.fullShareMin ? busiest : nil
        quietLooks = shares.reduce(0, +) < Self.oneLoopShareMax ? quietLooks + 1 : 0
        guard looksToWait == 0 else {
            looksToWait -= 1
            return nil
        }
        if full == busiest, wasFull == busiest, least < Self.roomShareMax {
            looksToWait = Self.looksBetweenReliefs
            return Relief(
                from: busiest, to: idlest, part: (most - least) / 2 / most,
                connectionsMax: Self.connectionsPerRelief)
        }
        guard quietLooks >= Self.quietLooksMin, let source = source(of: shares, besides: busiest)
        else { return nil }
        looksToWait = Self.looksBetweenReliefs
        return Relief(
            from: source, to: busiest, part: 1, connectionsMax: Self.connectionsPerReturn)
    }

    /// The loop with least to do of those that have anything.
    private func source(of shares: [Double], besides busiest: Int) -> Int? {
        shares.indices.filter { $0 != busiest && shares[$0] >= Self.returnShareMin }
            .min { shares[$0] < shares[$1] }
    }
}

// MARK: - The loop that gives

extension BrokerLoop {
    /// Slots that are looked at for one relief, which takes about 50 µs.
    private static let slotsPerRelief = 1_024
    /// What connections did before is no measure after so long.
    private static let notesHoldNanoseconds: UInt64 = 1_000_000_000

    /// Moves the connections that have most to do, as far as they are no more than what is to go: one that is too much
    /// for a loop alone is too much for another one, too.
    func relieve(_ relief: Relief) {
        let isMeasured = now &- state.pointee.moves.notedAt < Self.notesHoldNanoseconds
        state.pointee.moves.notedAt = now
        var (candidates, total) = measureMessages()
        guard isMeasured else { return }
        candidates.sort { $0.messages > $1.messages }
        var left = Int(Double(total) * relief.part)
        var moved = 0
        for candidate in candidates
        where candidate.messages <= left && moved < relief.connectionsMax {
            guard move(candidate.connection, to: relief.to) else { continue }
            left -= candidate.messages
            moved += 1
        }
    }

    /// What each has got and sent since it was noted last: of those that may move, and of all together.
    private func measureMessages() -> (
        candidates: [(connection: ConnectionRef, messages: Int)], total: Int
    ) {
        var candidates: [(connection: ConnectionRef, messages: Int)] = []
        var total = 0
        let slots = state.pointee.connections.endIndex
        let count = min(slots, Self.slotsPerRelief)
        let first = state.pointee.moves.nextNoted
        state.pointee.moves.nextNoted = slots == 0 ? 0 : (first + count) % slots
        for i in 0..<count {
            let connection = state.pointee.connections[(first + i) % slots]
            guard connection.pointee.flags.contains(.isTaken) else { continue }
            let now = connection.pointee.messagesIn &+ connection.pointee.messagesOut
            let messages = Int(clamping: now &- min(now, connection.pointee.messagesNoted))
            connection.pointee.messagesNoted = now
            total += messages
            if messages > 0, canMove(connection) { candidates.append((connection, messages)) }
        }
        return (candidates, total)
    }
}
