/// What a running broker says about itself at one moment; monitoring reads nothing else.
public struct BrokerSnapshot: Sendable {
    public var serverID = ""
    public var serverName = ""
    /// The nats-server version that clients are told, for example "2.14.0".
    public var version = ""
    /// Martlet's own version.
    public var martletVersion = ""
    public var host = ""
    public var clientPort = 0
    /// Nanoseconds since 1970, UTC.
    public var startedAt: UInt64 = 0
    public var now: UInt64 = 0

    public var loopCount = 0
    public var connections = 0
    public var totalConnections = 0
    public var subscriptions = 0
    public var messagesIn = 0
    public var messagesOut = 0
    public var bytesIn = 0
    public var bytesOut = 0
    public var slowConsumersByBytes = 0
    public var slowConsumersByDeadline = 0
    public var staleConnections = 0
    /// Publishers that were paused for a `block` subscriber, a rate or the memory budget.
    public var pausedPublishers = 0
    /// Messages that `drop_new` and `drop_old` threw away.
    public var droppedMessages = 0
    /// Bytes of the memory budget in use, and the budget.
    public var memoryBytes = 0
    public var memoryBytesMax = 0
    /// How often the pools of the loops took memory from the system, and when last, in nanoseconds since
    /// 1970: neither changes under a load that they have seen before.
    public var allocations = 0
    public var lastAllocationAt: UInt64 = 0
    /// The longest turn of any loop so far, and turns over the stall threshold.
    public var longestTurnNanoseconds: UInt64 = 0
    public var stalls = 0
    /// The turns of all loops by how long they took.
    public var turns = TurnHistogram()
    public var isLameDuck = false

    public init() {}
}

/// The subject tree's own counts, for /subsz.
public struct RoutingSnapshot: Sendable {
    public var subscriptions = 0
    public var cachedRoutes = 0
    public var inserts = 0
    public var removes = 0
    public var matches = 0
    public var cacheHits = 0
    public var fanoutMax = 0
    public var fanoutAverage = 0.0

    public init() {}
}

/// One connection, open or closed, for /connz. Times are nanoseconds since 1970, UTC.
public struct ConnectionSnapshot: Sendable {
    public var id: UInt64 = 0
    public var kind = "Client"
    public var type = "nats"
    public var ip = ""
    public var port = 0
    public var startedAt: UInt64 = 0
    public var lastActivityAt: UInt64 = 0
    /// nil while the connection is open.
    public var stoppedAt: UInt64?
    /// nats-server's text of why the connection was closed, for example "Client Closed".
    public var closeReason: String?
    public var roundTripNanoseconds: UInt64 = 0
    public var pendingBytes = 0
    public var messagesIn = 0
    public var messagesOut = 0
    public var bytesIn = 0
    public var bytesOut = 0
    /// How often this connection was paused as a publisher.
    public var stalls = 0
    public var loop = 0
    public var name = ""
    public var language = ""
    public var version = ""
    public var account = "$G"
    public var authorizedUser = ""
    public var subscriptionCount = 0
    /// Filled only when asked for.
    public var subscriptions: [SubscriptionSnapshot] = []

    public init() {}
}

/// One subscription, for /connz?subs=detail and /subsz?subs=1.
public struct SubscriptionSnapshot: Sendable {
    public var account = "$G"
    public var subject = ""
    public var queue: String?
    public var sid = ""
    public var messages = 0
    /// The maximum of UNSUB; 0 is none.
    public var messagesMax = 0
    public var connectionID: UInt64 = 0

    public init() {}
}
