// A connection goes to another loop: docs/decisions/0012-moving-connections.md has the steps and why they are safe.

/// What the loops say to each other about one move. The target takes over a subscription as it was described at the
/// start; what is counted meanwhile comes with `HandedOver`.
///
/// SAFETY: constant but for `arrival`, which the target writes before it tells anybody that it has it. The records
/// stay mapped; `replace` looks at them with the tree's lock held.
final class Move: @unchecked Sendable {
    /// A subscription, whose names stand in `names` one after another.
    struct Interest {
        let record: SubscriptionRef
        let subjectCount: UInt32
        let queueCount: UInt32
        let spacedSIDCount: UInt32
    }

    let id: UInt64
    let source: Int
    let target: Int
    /// Its place on the source.
    let departure: SlabHandle
    /// Its place on the target.
    var arrival = SlabHandle.none
    let account: AccountRef
    let policy: PeerPolicy
    /// Of those that CONNECT sets: what a frame for it depends on.
    let flags: ConnectionFlags
    let pendingBytesMax: Int
    let details: ConnectionDetails?
    let interests: [Interest]
    let names: [UInt8]

    init(
        of connection: ConnectionRef, from source: Int, to target: Int, _ interests: [Interest],
        _ names: [UInt8]
    ) {
        id = connection.pointee.id
        self.source = source
        self.target = target
        departure = connection.pointee.handle
        account = connection.pointee.account
        policy = connection.pointee.policy
        flags = connection.pointee.flags.intersection(.ofConnect)
        pendingBytesMax = connection.pointee.pendingBytesMax
        details = unsafe connection.pointee.details?.takeUnretainedValue()
        self.interests = interests
        self.names = names
    }
}

/// The moves that a loop has a part in.
struct Moves {
    /// A connection of this loop that goes to another one.
    struct Departure {
        let move: Move
        /// Loops that may still send something to the old place, this one among them.
        var fencesLeft: Int
        /// A status 503 each, while the new place is not known.
        var owed: [Moves.NoResponders] = []
    }

    struct NoResponders {
        let origin: Origin
        let subject: [UInt8]
        let reply: [UInt8]
    }

    /// A connection that comes to this loop.
    struct Arrival {
        let move: Move
        let records: [SubscriptionRef]
        /// What the old place has not sent, which goes before all that is gathered here.
        var earlier = OutboundQueue()
    }

    /// A move that this loop has not answered yet: messages are still delivered along routes from before.
    struct FenceDue {
        let move: Move
        var longPublishesLeft: Int
    }

    /// Where a connection of this loop is now.
    struct Address {
        let old: SlabHandle
        let loop: UInt16
        let new: SlabHandle
    }

    var departures: [Departure] = []
    var arrivals: [Arrival] = []
    var fencesDue: [FenceDue] = []
    /// The last ones that went, oldest first.
    var addresses: [Address] = []
    /// When it was last noted what connections do, and which slot is the next.
    var notedAt: UInt64 = 0
    var nextNoted = 0

    private static let addressesMax = 256

    func departure(_ move: Move) -> Int? { departures.firstIndex { $0.move === move } }
    func arrival(_ move: Move) -> Int? { arrivals.firstIndex { $0.move === move } }

    mutating func remember(_ address: Address) {
        if addresses.count == Self.addressesMax { addresses.removeFirst() }
        addresses.append(address)
    }

    func address(of old: SlabHandle) -> Address? { addresses.last { $0.old == old } }
}
