/// Everything a broker can be told, each with its unit and its default.
///
/// The defaults are nats-server's. A value is a limit wherever that makes sense: nothing in the
/// broker grows without one. `ConfigurationFile` fills this from a nats-server configuration file.
public struct BrokerConfiguration: Sendable {
    // MARK: Identity and addresses

    /// The name in INFO and /varz; the server id when nil.
    public var serverName: String?
    /// The address to listen on; every interface when "0.0.0.0", both families when "::".
    public var host = "0.0.0.0"
    /// The client port; -1 takes any free one.
    public var port = 4222
    /// `host:port` told to clients in INFO's `connect_urls` instead of the listening address.
    public var clientAdvertise: String?
    /// Where /varz and its like are served; `host` when nil.
    public var httpHost: String?
    /// The monitoring port; 0 serves none, -1 takes any free one.
    public var httpPort = 0
    /// A prefix of every monitoring path, for example "/nats".
    public var httpBasePath = ""
    /// Listens on no client port: connections come in process only.
    public var dontListen = false
    /// Labels that /varz shows.
    public var serverTags: [String] = []
    /// Free key-value pairs that /varz shows.
    public var serverMetadata: [String: String] = [:]

    // MARK: Files of the process

    /// A file that receives the process id.
    public var pidFile: String?
    /// A directory that receives `<executable>_<pid>.ports`.
    public var portsFileDirectory: String?

    // MARK: Limits

    /// Connections at once.
    public var connectionsMax = 65_536
    /// Subscriptions of one connection; 0 is without limit.
    public var subscriptionsMax = 0
    /// Tokens of a subscription's subject; 0 is without limit.
    public var subscriptionTokensMax = 0
    /// Bytes of one message, header included.
    public var payloadBytesMax = 1_048_576
    /// Bytes of one control line, without its payload.
    public var controlLineBytesMax = 4_096
    /// Unsent bytes of one connection before it counts as a slow consumer.
    public var pendingBytesMax = 67_108_864
    /// How long the oldest unsent byte of a connection may wait before that connection is closed.
    public var writeDeadlineNanoseconds: UInt64 = 10_000_000_000
    /// Closed connections kept for /connz.
    public var closedConnectionsMax = 10_000
    /// Payload bytes shown of each message in a trace; 0 shows all.
    public var tracedMessageBytesMax = 0

    // MARK: Keepalive and authentication

    /// The pause between the PINGs that the broker sends to a silent client.
    public var pingIntervalNanoseconds: UInt64 = 120_000_000_000
    /// PINGs without an answer after which a connection is stale.
    public var pingsOutstandingMax = 2
    /// How long a client may take to authenticate, where that is required.
    public var authenticationTimeoutNanoseconds: UInt64 = 2_000_000_000
    public var authorization = Authorization()
    /// Refuses headers: INFO says `headers: false` and HPUB is an error.
    public var disablesHeaders = false

    // MARK: Lame duck

    /// Over how long a lame duck broker closes its connections.
    public var lameDuckDurationNanoseconds: UInt64 = 120_000_000_000
    /// How long a lame duck broker waits before it closes the first one.
    public var lameDuckGracePeriodNanoseconds: UInt64 = 10_000_000_000

    // MARK: Logs

    public var log = Log()

    // MARK: Martlet's own

    /// Event loops; nil lets the broker decide.
    public var loopCount: Int?
    /// Threads for handlers of this process; nil takes as many as there are cores besides those of the
    /// loops, and at least one.
    public var handlerThreadCount: Int?
    /// Bytes that buffers, payloads, routes and subscriptions of the process may take; 0 derives it
    /// from the machine.
    public var memoryBytesMax = 0
    /// Messages a second that one connection may publish; 0 is without limit.
    public var publishedMessagesPerSecondMax = 0
    /// Payload bytes a second that one connection may publish; 0 is without limit.
    public var publishedBytesPerSecondMax = 0
    public var slowConsumers = SlowConsumers()
    /// How long a loop looks for events before it sleeps; up to a core each is spent on it.
    public var spinNanoseconds: UInt64 = 0
    /// How long output may wait for more to come before it is written; 0 writes at the end of a turn.
    public var coalesceNanoseconds: UInt64 = 0
    /// A turn of a loop that takes longer is logged and counted as a stall.
    public var stallThresholdNanoseconds: UInt64 = 5_000_000
    /// What turns of loops are measured by.
    public var turnClock = TurnClock.wall
    /// Content rules; nil has none.
    public var rules: RulesConfiguration?

    /// Spaces of subjects apart from each other, by name; `authorization.users` says who is in which.
    public var accounts: [String] = []
    /// One of `accounts`; nil is `$SYS`, if that is one of them.
    public var systemAccount: String?

    /// The configuration file that this came from, for logs and /varz.
    public var configurationFile: String?
    /// `sha256:<hex>` of the parsed configuration file, as nats-server computes it.
    public var configurationDigest: String?

    public init() {}
}

extension BrokerConfiguration {
    /// What turns of loops are measured by.
    public enum TurnClock: String, Sendable, CaseIterable {
        /// The time that passes, as whoever waits for the loop sees it.
        case wall
        /// Processor time of the loop's thread: what it does itself, without the time in which it was kept
        /// from running. Costs two system calls a turn.
        case thread
    }

    /// Who may connect. Nothing set: everyone.
    public struct Authorization: Sendable {
        public var user: String?
        /// In clear or as a bcrypt hash (`$2a$`, `$2b$`, `$2y$`).
        public var password: String?
        /// In clear or as a bcrypt hash.
        public var token: String?
        public var users: [User] = []
        /// The user that connections without credentials get.
        public var noAuthUser: String?
        /// Connections without credentials are let in, to `$G`: only the system account has users.
        public var admitsWithoutCredentials = false

        public init() {}

        public var isRequired: Bool { user != nil || token != nil || !users.isEmpty }
    }

    /// A user of `authorization { users = [ … ] }`, or of an account.
    public struct User: Sendable, Equatable {
        public var name: String
        /// In clear or as a bcrypt hash.
        public var password: String
        /// One of `accounts`; nil is `$G`.
        public var account: String?

        public init(name: String, password: String, account: String? = nil) {
            self.name = name
            self.password = password
            self.account = account
        }
    }

    /// The account of everybody who has no other.
    public static let globalAccountName = "$G"
    /// The system account, where none is named.
    static let defaultSystemAccountName = "$SYS"

    /// The account whose users may ask the server about itself: `systemAccount`, or `$SYS` if it is among
    /// the accounts.
    public var systemAccountName: String? {
        systemAccount ?? accounts.first { $0 == Self.defaultSystemAccountName }
    }

    /// What is logged, and where to. The executable reads this; the library takes a `Logger`.
    public struct Log: Sendable {
        public var debug = false
        public var trace = false
        /// Traces the system account too; with `trace`.
        public var traceVerbose = false
        /// Starts each line with the time.
        public var showsTime = true
        public var usesUTC = false
        /// A file instead of stderr.
        public var file: String?
        /// Rotates the file at this many bytes; 0 never does.
        public var fileBytesMax = 0
        /// Rotated files kept; 0 keeps all.
        public var filesMax = 0
        public var syslog = false
        /// A syslog server, for example "udp://127.0.0.1:514".
        public var remoteSyslog: String?

        public init() {}
    }

    /// What happens to a subscriber that does not keep up.
    public enum SlowConsumerPolicy: String, Sendable, CaseIterable {
        /// Closes the connection, as nats-server does.
        case close
        /// Drops messages that come while the connection is over its limit.
        case dropNew = "drop_new"
        /// Drops the oldest messages of which no byte was sent.
        case dropOld = "drop_old"
        /// Stops reading from those who publish to it, for at most `blockNanosecondsMax`.
        case block
    }

    /// `martlet { slow_consumers { … } }`.
    public struct SlowConsumers: Sendable {
        public var defaultPolicy = SlowConsumerPolicy.close
        /// The first rule whose account and subject match a subscription decides for it.
        public var rules: [SlowConsumerRule] = []
        /// How long a publisher waits for a blocked subscriber before that subscriber is closed.
        public var blockNanosecondsMax: UInt64 = 1_000_000_000

        public init() {}
    }

    public struct SlowConsumerRule: Sendable {
        /// An account's name; every account when nil.
        public var account: String?
        /// A subject with wildcards: subscriptions whose subject it covers.
        public var subject: String
        public var policy: SlowConsumerPolicy
        /// Overrides `max_pending` for connections with such a subscription.
        public var pendingBytesMax: Int?

        public init(
            account: String? = nil, subject: String, policy: SlowConsumerPolicy,
            pendingBytesMax: Int? = nil
        ) {
            self.account = account
            self.subject = subject
            self.policy = policy
            self.pendingBytesMax = pendingBytesMax
        }
    }
}
