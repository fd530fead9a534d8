/// What a running broker says about itself at one moment; monitoring reads nothing else.
public struct BrokerSnapshot: Sendable {
    /// INFO's server_id, new with each start.
    public var serverID = ""
    /// INFO's server_name.
    public var serverName = ""
    /// The nats-server version that clients are told, for example "2.14.0".
    public var version = ""
    /// Martlet's own version.
    public var martletVersion = ""
    /// The configured address of the client listener.
    public var host = ""
    /// The port that clients connect to; 0 without a listener.
    public var clientPort = 0
    /// Nanoseconds since 1970, UTC.
    public var startedAt: UInt64 = 0
    /// When the snapshot was made, in nanoseconds since 1970, UTC.
    public var now: UInt64 = 0

    /// Event loops.
    public var loopCount = 0
    /// Open client connections.
    public var connections = 0
    /// Client connections since the start.
    public var totalConnections = 0
    /// Open subscriptions of all connections, handlers included.
    public var subscriptions = 0
    /// Messages that clients published.
    public var messagesIn = 0
    /// Messages that were delivered.
    public var messagesOut = 0
    /// Payload bytes that clients published.
    public var bytesIn = 0
    /// Payload bytes that were delivered.
    public var bytesOut = 0
    /// Connections that were closed for more than `max_pending` unsent bytes.
    public var slowConsumersByBytes = 0
    /// Connections that were closed for unsent bytes older than `write_deadline`.
    public var slowConsumersByDeadline = 0
    /// Connections that were closed for unanswered PINGs.
    public var staleConnections = 0
    /// Publishers that were paused for a `block` subscriber, a rate or the memory budget.
    public var pausedPublishers = 0
    /// Connections that are not read now, by the reason.
    public var pausedConnections: [PauseReason: Int] = [:]
    /// Messages that `drop_new` and `drop_old` threw away.
    public var droppedMessages = 0
    /// Bytes of the memory budget in use, and the budget.
    public var memoryBytes = 0
    /// The memory budget, in bytes.
    public var memoryBytesMax = 0
    /// How often the pools of the loops took memory from the system, and when last, in nanoseconds since
    /// 1970: neither changes under a load that they have seen before.
    public var allocations = 0
    /// When that was last, in nanoseconds since 1970, UTC; 0 for never.
    public var lastAllocationAt: UInt64 = 0
    /// The longest turn of any loop since the start.
    public var longestTurnNanoseconds: UInt64 = 0
    /// The longest one of the last 10 to 15 seconds.
    public var longestTurnOf10Seconds: UInt64 = 0
    /// The longest one of the last 60 to 65 seconds.
    public var longestTurnOfMinute: UInt64 = 0
    /// Turns that took longer than `stall_threshold`.
    public var stalls = 0
    /// The turns of all loops by how long they took.
    public var turns = TurnHistogram()
    /// What turns took together, of all loops, in nanoseconds.
    public var busyNanoseconds = 0
    /// When the whole process stood still.
    public var standstills = Standstills()
    /// Lame duck mode has begun.
    public var isLameDuck = false

    /// Of a broker in which nothing has happened.
    public init() {}
}

/// The subject tree's own counts, for /subsz.
public struct RoutingSnapshot: Sendable {
    /// Subscriptions in the trees of all accounts.
    public var subscriptions = 0
    /// Routes in the match caches of all loops.
    public var cachedRoutes = 0
    /// Subscriptions that came, since the start.
    public var inserts = 0
    /// Subscriptions that went, since the start.
    public var removes = 0
    /// Subjects that were looked up, in a cache or a tree.
    public var matches = 0
    /// Of these, those that a cache answered.
    public var cacheHits = 0
    /// The most destinations of a cached route.
    public var fanoutMax = 0
    /// Destinations of a cached route, on average.
    public var fanoutAverage = 0.0

    /// Of a broker in which nothing has happened.
    public init() {}
}

/// One connection, open or closed, for /connz. Times are nanoseconds since 1970, UTC.
public struct ConnectionSnapshot: Sendable {
    /// INFO's client_id.
    public var id: UInt64 = 0
    /// What the peer is, as /connz shows it.
    public var kind = "Client"
    /// The client protocol: `nats`.
    public var type = "nats"
    /// The peer's address; `in-process` for a client of this process.
    public var ip = ""
    /// The peer's port; 0 without one.
    public var port = 0
    /// When it was accepted.
    public var startedAt: UInt64 = 0
    /// When it last published, subscribed, unsubscribed, got a message or said CONNECT.
    public var lastActivityAt: UInt64 = 0
    /// nil while the connection is open.
    public var stoppedAt: UInt64?
    /// nats-server's text of why the connection was closed, for example "Client Closed".
    public var closeReason: String?
    /// The last PING's round trip; 0 before the first.
    public var roundTripNanoseconds: UInt64 = 0
    /// Unsent bytes.
    public var pendingBytes = 0
    /// Messages that it published.
    public var messagesIn = 0
    /// Messages that it got.
    public var messagesOut = 0
    /// Payload bytes that it published.
    public var bytesIn = 0
    /// Payload bytes that it got.
    public var bytesOut = 0
    /// Messages for it that `drop_new` and `drop_old` threw away.
    public var droppedMessages = 0
    /// How often this connection was paused as a publisher.
    public var stalls = 0
    /// Why it is not read now; empty as a rule.
    public var pauseReasons: [PauseReason] = []
    /// The index of its loop.
    public var loop = 0
    /// CONNECT's `name`.
    public var name = ""
    /// CONNECT's `lang`.
    public var language = ""
    /// CONNECT's `version`.
    public var version = ""
    /// The name of its account.
    public var account = "$G"
    /// The user that it authenticated as; empty without one.
    public var authorizedUser = ""
    /// Its open subscriptions.
    public var subscriptionCount = 0
    /// Filled only when asked for.
    public var subscriptions: [SubscriptionSnapshot] = []

    /// Of nobody yet.
    public init() {}
}

/// One subscription, for /connz?subs=detail and /subsz?subs=1.
public struct SubscriptionSnapshot: Sendable {
    /// The name of its account.
    public var account = "$G"
    /// The subject filter.
    public var subject = ""
    /// The queue group; nil for a plain subscription.
    public var queue: String?
    /// The id that its client chose.
    public var sid = ""
    /// Messages that it got.
    public var messages = 0
    /// Of these, what `drop_new` and `drop_old` threw away.
    public var droppedMessages = 0
    /// The maximum of UNSUB; 0 is none.
    public var messagesMax = 0
    /// The connection's client_id.
    public var connectionID: UInt64 = 0

    /// To nothing yet.
    public init() {}
}
