/// Everything a broker can be told, each with its unit and its default.
///
/// The defaults are nats-server's. A value is a limit wherever that makes sense: nothing in the
/// broker grows without one. `ConfigurationFile` fills this from a nats-server configuration file;
/// docs/CONFIGURATION.md lists the file's keys. `Broker` checks it as a whole.
public struct BrokerConfiguration: Sendable {
    // MARK: Identity and addresses

    /// The name in INFO and /varz; the server id when nil.
    public var serverName: String?
    /// The address to listen on; every interface and both families when "0.0.0.0" or "::".
    public var host = "0.0.0.0"
    /// The client port; -1 takes any free one.
    public var port = 4222
    /// Listens on no client port: connections come in process only.
    public var dontListen = false
    /// `host:port` told to clients in INFO's `connect_urls` instead of the listening address.
    public var clientAdvertise: String?
    /// Labels that /varz shows.
    public var serverTags: [String] = []
    /// Free key-value pairs that /varz shows.
    public var serverMetadata: [String: String] = [:]
    /// Where monitoring is served.
    public var monitoring = Monitoring()
    /// Files that tell others of the process.
    public var files = Files()

    // MARK: Clients

    /// How much of everything.
    public var limits = Limits()
    /// When a silent client counts as gone.
    public var keepalive = Keepalive()
    /// Refuses headers: INFO says `headers: false` and HPUB is an error.
    public var disablesHeaders = false
    /// Who may connect.
    public var authorization = Authorization()
    /// Spaces of subjects apart from each other, by name; `authorization.users` says who is in which.
    public var accounts: [String] = []
    /// One of `accounts`; nil is `$SYS`, if that is one of them.
    public var systemAccount: String?
    /// What happens to subscribers that do not keep up.
    public var slowConsumers = SlowConsumers()
    /// Content rules; nil has none.
    public var rules: RulesConfiguration?

    // MARK: The process

    /// How the broker's last minutes go.
    public var lameDuck = LameDuck()
    /// What is logged, and where to.
    public var log = Log()
    /// Event loops; nil lets the broker decide.
    public var loopCount: Int?
    /// Threads for handlers of this process; nil takes as many as there are cores besides those of the
    /// loops, and at least one.
    public var handlerThreadCount: Int?
    /// How loops trade latency, processor time and system calls.
    public var tuning = Tuning()

    /// What a file says and nothing goes by.
    var inert = Inert()

    // MARK: Where it comes from

    /// The configuration file that this came from, for logs and /varz.
    public var configurationFile: String?
    /// `sha256:<hex>` of the parsed configuration file, as nats-server computes it.
    public var configurationDigest: String?

    /// The defaults.
    public init() {}
}

extension BrokerConfiguration {
    /// The account of everybody who has no other.
    public static let globalAccountName = "$G"
    /// The system account, where none is named.
    static let defaultSystemAccountName = "$SYS"

    /// The account whose users may ask the server about itself: `systemAccount`, or `$SYS` if it is among
    /// the accounts.
    public var systemAccountName: String? {
        systemAccount ?? accounts.first { $0 == Self.defaultSystemAccountName }
    }
}
