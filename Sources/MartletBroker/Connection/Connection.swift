struct ConnectionFlags: OptionSet, BitwiseCopyable {
    let rawValue: UInt32

    /// CONNECT options, with the values that hold before a CONNECT.
    static let verbose = ConnectionFlags(rawValue: 1 << 0)
    static let pedantic = ConnectionFlags(rawValue: 1 << 1)
    static let echo = ConnectionFlags(rawValue: 1 << 2)
    static let headers = ConnectionFlags(rawValue: 1 << 3)
    static let noResponders = ConnectionFlags(rawValue: 1 << 4)
    /// Takes a later INFO: protocol 1.
    static let asyncInfo = ConnectionFlags(rawValue: 1 << 5)

    /// Must authenticate before anything else: as its `opening` says, for the message path.
    static let awaitsAuthentication = ConnectionFlags(rawValue: 1 << 9)

    /// The slot is a connection's, until it has ended.
    static let isTaken = ConnectionFlags(rawValue: 1 << 11)

    /// In the list of connections to flush at the end of the turn.
    static let isDirty = ConnectionFlags(rawValue: 1 << 16)
    /// The poller watches for room in the socket's send buffer.
    static let awaitsWritable = ConnectionFlags(rawValue: 1 << 17)
    /// Has messages that are with a worker.
    static let hasJobs = ConnectionFlags(rawValue: 1 << 18)
    /// In the list of connections whose input goes on next turn.
    static let hasInputLeft = ConnectionFlags(rawValue: 1 << 19)
    /// Has a subscription with the policy `drop_old`, so frames are followed as they leave.
    static let dropsOld = ConnectionFlags(rawValue: 1 << 22)
    /// Counts towards `max_connections`.
    static let isAdmitted = ConnectionFlags(rawValue: 1 << 25)
    /// Nothing can reach the peer any more: its socket is broken, or frames were thrown away midway.
    static let discardsOutput = ConnectionFlags(rawValue: 1 << 23)
    /// Taken out of the poller while it is paused, because its peer has hung up.
    static let isUnwatched = ConnectionFlags(rawValue: 1 << 24)
    /// In the list of publishers to more connections than a turn writes to.
    static let fansOut = ConnectionFlags(rawValue: 1 << 26)
    /// What is sent to it is traced.
    static let isTraced = ConnectionFlags(rawValue: 1 << 27)
    /// Has a subscription with another policy than `close`, so messages may fill its limit and leave it open.
    static let staysWhenSlow = ConnectionFlags(rawValue: 1 << 28)
    /// In the list of connections whose subscriptions are being removed, and open.
    static let losesSubscriptions = ConnectionFlags(rawValue: 1 << 29)
    /// Closed at the end of what runs now.
    static let isClosing = ConnectionFlags(rawValue: 1 << 21)
    /// On its way here from another loop: what is delivered is gathered, there is no transport yet.
    static let isArriving = ConnectionFlags(rawValue: 1 << 30)
    /// On its way to another loop, which has some of its output already: nothing is written here any more.
    static let isHandedOver = ConnectionFlags(rawValue: 1 << 31)

    /// What CONNECT has set.
    static let ofConnect: ConnectionFlags = [.verbose, .pedantic, .echo, .headers, .noResponders]
    /// What stays with a connection that goes to another loop.
    static let travelling = ofConnect.union([.asyncInfo, .isAdmitted, .discardsOutput])
}

/// Why a connection is not read for a while.
struct PauseReasons: OptionSet, BitwiseCopyable {
    let rawValue: UInt16

    /// Its credentials are being checked on another thread.
    static let authentication = PauseReasons(rawValue: 1)
    /// It published faster than its rate.
    static let rate = PauseReasons(rawValue: 2)
    /// A subscriber with the policy `block` is over its limit.
    static let blockedSubscriber = PauseReasons(rawValue: 4)
    /// The memory budget is spent.
    static let memory = PauseReasons(rawValue: 8)
    /// Too much waits for another loop.
    static let mailbox = PauseReasons(rawValue: 16)
    /// It published to more connections than a turn writes to, and they are not all written yet.
    static let fanOut = PauseReasons(rawValue: 32)
    /// What it does next waits for its messages that are with a worker, or for room there.
    static let rules = PauseReasons(rawValue: 64)
    /// Its last message's subscribers take long to find.
    static let match = PauseReasons(rawValue: 128)
    /// Its next CONNECT ends all its subscriptions, of which there are many.
    static let departures = PauseReasons(rawValue: 256)
    /// It is on its way from one loop to another: so at both.
    static let move = PauseReasons(rawValue: 512)

    /// Those that only spread a connection's own work over turns.
    static let ownWork: PauseReasons = [
        .authentication, .fanOut, .rules, .match, .departures, .move,
    ]

    static let all = PauseReasons(rawValue: .max)

    var each: [PauseReasons] {
        (0..<UInt16.bitWidth).map { PauseReasons(rawValue: 1 << $0) }.filter { contains($0) }
    }

    /// Of a single reason: its place among all.
    var index: Int { rawValue.trailingZeroBitCount }
}

/// One peer. A slot of its loop's slab: only that loop touches it.
///
/// SAFETY: what it points to is its own from when it is made until `closeNow` gives it back.
@safe
struct Connection: ~Copyable {
    var handle = SlabHandle(index: 0, generation: 0)
    var transport = Transport.closed
    var policy = PeerPolicy(.client)
    var opening = Opening()
    var flags: ConnectionFlags = []
    var pauseReasons: PauseReasons = []
    /// INFO's client_id.
    var id: UInt64 = 0
    var account: AccountRef
    /// What a publish and a subscribe must be allowed by; nil allows all. Held by the connection.
    var permissions: Unmanaged<Permissions>?

    // Input
    /// Bytes that were read and not yet understood.
    var carry: MutableBytes?
    var carryCount = 0
    var carryBlockBytes = 0
    /// The large message that is being read.
    var payload: PayloadRef?
    var payloadLine = LargeMessageLine()

    // Output
    var outbound = OutboundQueue()
    var pendingBytesMax = 0
    /// Since when its oldest unsent byte has waited (0: none does).
    var blockedSince: UInt64 = 0
    /// Of the bytes pending then, those not sent yet; at 0 the write deadline starts anew.
    var overdueBytes = 0
    /// Where the first frame starts of which nothing was sent, from the queue's head; -1 when frames
    /// left without being followed, until the queue is empty again.
    var firstUnsentFrame = 0
    /// The turn in which it was last written to between events, and for how many turns it is not.
    var flushedInTurn: UInt32 = 0
    var gatheringTurns: UInt8 = 0
    var closeReason = CloseReason.clientClosed

    var subscriptions = SubscriptionTable()

    // Keepalive
    var pingsOutstanding = 0
    var lastInputAt: UInt64 = 0
    var acceptedAt: UInt64 = 0
    var pingSentAt: UInt64 = 0
    var roundTripNanoseconds: UInt64 = 0
    var deadlines = Deadlines()

    var rate = RateLimit()
    var jobs = JobsOut()
    /// Subscribers with the policy `block` that this connection waits for.
    var blockedByCount = 0
    /// Publishers that wait for this connection to drain (policy `block`).
    var waitingPublishers: StablePointer<WaitingPublishers>?

    var messagesIn: UInt64 = 0
    var bytesIn: UInt64 = 0
    var messagesOut: UInt64 = 0
    var bytesOut: UInt64 = 0
    /// Both together when a loop last looked who has most to do.
    var messagesNoted: UInt64 = 0
    /// When it last published, subscribed, unsubscribed or got a message, or said CONNECT: what nats-server
    /// takes for activity. PING and PONG are none.
    var lastActivityAt: UInt64 = 0
    /// What a policy has thrown away instead of sending it.
    var droppedMessages = 0
    var stalls = 0

    var inOrder = OrderLinks()

    /// What only people ask for; cold.
    var details: Unmanaged<ConnectionDetails>?

    init(in account: AccountRef) {
        self.account = account
    }
}

typealias ConnectionRef = StablePointer<Connection>

/// What a connection said of itself, for logs and monitoring.
final class ConnectionDetails {
    var ip = ""
    var port = 0
    var startedAt: UInt64 = 0
    var name = ""
    var language = ""
    var version = ""
    var user = ""
    /// The last CONNECT; a second one changes only what it names.
    var options = ConnectOptions()
    /// A CONNECT was taken: log lines tell whose it is.
    var isIdentified = false
    /// What has let it in; nil while nothing has.
    var admission: LoginAttempt?
}
