/// Where a new connection goes: by what loops have had to do of late where their number is the broker's to choose, by
/// how many connections they have where it is configured.
///
/// One loop is used while one is enough: messages between connections of one loop cost a third of those that cross.
struct Placement {
    /// A loop that was busy for more of the last moments takes no new connections while another has room.
    static let roomShareMax = 0.5
    /// The last moments: what is looked at is at least so old.
    static let windowNanosecondsMin: UInt64 = 20_000_000
    /// Shares that differ by less are the same.
    private static let steps = 16.0

    /// What was known of a loop's work at the last look, and what share of the time until then it was.
    private struct Work {
        var busyNanoseconds = 0
        var share = 0.0
    }

    private let followsLoad: Bool
    private var work: [Work]
    private var lookedAt: UInt64 = 0

    init(loopCount: Int, followsLoad: Bool) {
        self.followsLoad = followsLoad
        work = Array(repeating: Work(), count: loopCount)
    }

    /// Of each loop, the share of the last moments in which it worked.
    var shares: [Double] { work.map(\.share) }

    /// Looks what the loops have done since the last look, if that is long enough ago.
    ///
    /// - Parameter busyNanoseconds: of all turns of a loop together.
    mutating func look(at now: UInt64, _ busyNanoseconds: (_ loop: Int) -> Int) {
        guard now >= lookedAt &+ Self.windowNanosecondsMin else { return }
        let window = Double(now &- lookedAt)
        for i in work.indices {
            let busy = busyNanoseconds(i)
            // Before the first look there is nothing to compare with.
            work[i].share =
                lookedAt == 0 ? 0 : min(1, Double(busy - work[i].busyNanoseconds) / window)
            work[i].busyNanoseconds = busy
        }
        lookedAt = now
    }

    /// - Parameter connections: of a loop, those on their way to it included.
    func loopForNext(_ connections: (_ loop: Int) -> Int) -> Int {
        var best = 0
        for i in work.indices.dropFirst() where isBetter(i, than: best, connections) { best = i }
        return best
    }

    private func isBetter(_ one: Int, than other: Int, _ connections: (Int) -> Int) -> Bool {
        guard followsLoad else { return connections(one) < connections(other) }
        let (oneHasRoom, otherHasRoom) = (hasRoom(one), hasRoom(other))
        guard oneHasRoom == otherHasRoom else { return oneHasRoom }
        let (share, otherShare) = (rounded(one), rounded(other))
        // The busiest that has room; where none has, the one with least to do.
        guard share == otherShare else { return (share > otherShare) == oneHasRoom }
        let (count, otherCount) = (connections(one), connections(other))
        return oneHasRoom ? count > otherCount : count < otherCount
    }

    private func hasRoom(_ loop: Int) -> Bool { work[loop].share < Self.roomShareMax }
    private func rounded(_ loop: Int) -> Int { Int(work[loop].share * Self.steps) }
}
