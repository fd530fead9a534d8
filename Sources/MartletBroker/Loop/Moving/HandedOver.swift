/// All that a connection has, on its way from the loop that has it no more to the one that will. If it gets nowhere,
/// because that loop has stopped, the connection ends with it.
///
/// SAFETY: one thread at a time has it: the source fills it before it posts the command that carries it, the target
/// takes what is in it. `permissions` is a reference until then, and the transport is open.
@safe
final class HandedOver: @unchecked Sendable {
    let move: Move
    private let shared: BrokerShared
    private var transport: Transport?
    private var permissions: Unmanaged<Permissions>?
    private var opening = Opening()
    /// What stays with it of its flags.
    let flags: ConnectionFlags
    let closeReason: CloseReason?
    /// Input that is not a whole operation yet.
    let carry: [UInt8]
    /// Output that the source has not sent.
    let unsent: [UInt8]
    let sourceIsLameDuck: Bool
    private let account: AccountRef
    private let pingDueAt: UInt64
    private let acceptedAt: UInt64
    private let pingSentAt: UInt64
    private let roundTripNanoseconds: UInt64
    private let rate: RateLimit
    private let counts: (messagesIn: UInt64, bytesIn: UInt64, messagesOut: UInt64, bytesOut: UInt64)
    private let lastActivityAt: UInt64
    private let stalls: Int
    /// Of each subscription, in the order of the move's.
    let delivered: [Int]

    init(
        _ connection: ConnectionRef, _ move: Move, of shared: BrokerShared, unsent: [UInt8],
        sourceIsLameDuck: Bool
    ) {
        self.move = move
        self.shared = shared
        transport = connection.pointee.transport
        connection.pointee.transport = .closed
        unsafe permissions = unsafe connection.pointee.permissions
        unsafe connection.pointee.permissions = nil
        flags = connection.pointee.flags.intersection(.travelling)
        connection.pointee.flags.remove(.isAdmitted)
        closeReason =
            connection.pointee.flags.contains(.isClosing) ? connection.pointee.closeReason : nil
        carry = unsafe Array(
            UnsafeBufferPointer(
                start: connection.pointee.carry, count: connection.pointee.carryCount))
        self.unsent = unsent
        self.sourceIsLameDuck = sourceIsLameDuck
        account = connection.pointee.account
        pingDueAt = connection.pointee.deadlines.ping
        acceptedAt = connection.pointee.acceptedAt
        pingSentAt = connection.pointee.pingSentAt
        roundTripNanoseconds = connection.pointee.roundTripNanoseconds
        rate = connection.pointee.rate
        counts = (
            connection.pointee.messagesIn, connection.pointee.bytesIn,
            connection.pointee.messagesOut, connection.pointee.bytesOut
        )
        lastActivityAt = connection.pointee.lastActivityAt
        stalls = connection.pointee.stalls
        delivered = move.interests.map { $0.record.pointee.delivered }
        swap(&opening, &connection.pointee.opening)
    }

    deinit {
        guard let transport else { return }
        transport.close()
        unsafe permissions?.release()
        if flags.contains(.isAdmitted) { shared.leave() }
    }

    /// Everything is this connection's from now on.
    func give(to connection: ConnectionRef) {
        guard let transport else { preconditionFailure("a connection is handed over once") }
        self.transport = nil
        connection.pointee.transport = transport
        unsafe connection.pointee.permissions = unsafe permissions
        unsafe permissions = nil
        swap(&opening, &connection.pointee.opening)
        connection.pointee.flags.formUnion(flags)
        connection.pointee.account = account
        connection.pointee.acceptedAt = acceptedAt
        connection.pointee.pingSentAt = pingSentAt
        connection.pointee.roundTripNanoseconds = roundTripNanoseconds
        connection.pointee.rate = rate
        connection.pointee.messagesIn = counts.messagesIn
        connection.pointee.bytesIn = counts.bytesIn
        connection.pointee.messagesOut &+= counts.messagesOut
        connection.pointee.bytesOut &+= counts.bytesOut
        connection.pointee.messagesNoted = counts.messagesIn &+ counts.messagesOut
        connection.pointee.lastActivityAt = max(
            lastActivityAt, connection.pointee.lastActivityAt)
        connection.pointee.stalls = stalls
        connection.pointee.deadlines.ping = pingDueAt
    }
}
