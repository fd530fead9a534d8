/// What the connection that is read now has taken of its slice of the turn. Whatever it makes the loop do
/// counts, in units of about a nanosecond: delivered bytes, nodes of the tree that were visited, subscriptions
/// that were looked at, steps of rules. What is counted says when to look at the clock, and the clock when
/// the slice is over; where time stands still, what is counted says that too.
struct SliceWork {
    private(set) var spent = 0
    private var lookDueAt = SliceWork.unitsPerLook
    /// When the slice began, or a little before.
    var startedAt: UInt64 = 0

    /// A look at the clock costs 35 instructions, and ending a slice copies what is left of its input: what one
    /// read brings of messages with 16 bytes goes through without either.
    static let unitsPerLook = 320 << 10
    static let unitsMax = 1 << 20

    /// Of a delivery, beside its bytes.
    static let delivery = 128
    /// Of a published message that nobody gets, and of any other operation.
    static let operation = 128
    /// Of a subscription that comes or goes.
    static let subscription = 1_024
    /// Of a node that the tree may have to make for it.
    static let newNode = 192
    /// Of a subject that no cache knows.
    static let miss = 512
    /// Of a node that a match visits.
    static let node = 64
    /// Of a destination that is put into a route, or posted to another loop.
    static let destination = 32
    /// Of one that is only looked at, beside its neighbours.
    static let look = 4
    /// Of a step of rules, and of a byte that they read.
    static let ruleStep = 4
    static let scannedByte = 4

    @inline(__always)
    mutating func add(_ units: Int) { spent &+= units }

    /// For the next connection.
    @inline(__always)
    mutating func restart() {
        spent = 0
        lookDueAt = Self.unitsPerLook
    }

    /// Whoever is read now is not read on before the next turn.
    mutating func end() { lookDueAt = -1 }

    /// Whether so much was done that somebody should look at the clock.
    @inline(__always)
    var isLookDue: Bool { spent > lookDueAt }

    /// Whether the slice is over, now that somebody has looked.
    mutating func isOver(at now: UInt64, nanosecondsMax: UInt64) -> Bool {
        guard lookDueAt >= 0, spent <= Self.unitsMax, now &- startedAt < nanosecondsMax else {
            return true
        }
        lookDueAt = min(spent + Self.unitsPerLook, Self.unitsMax)
        return false
    }
}
