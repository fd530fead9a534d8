import Logging
public import MartletBroker

/// A broker in this process, on a free port of 127.0.0.1, that ends with the test.
public final class TestBroker: Sendable {
    public let broker: Broker

    /// Starts a broker with `loops` event loops and whatever `configure` changes.
    public init(
        loops: Int = 1, _ configure: (inout BrokerConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = BrokerConfiguration()
        configuration.host = "127.0.0.1"
        configuration.port = -1
        configuration.loopCount = loops
        configure(&configuration)
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        broker = try Broker(configuration: configuration, logger: logger)
        try broker.start()
    }

    deinit { broker.stop() }

    public var port: Int { broker.clientPort }

    /// A client that is connected and has had its first PONG. Brokers hand each connection to the loop
    /// with the fewest, so clients that are made one after another go to the loops in turn.
    public func client(_ options: ClientOptions = ClientOptions()) throws -> RawClient {
        let client = try RawClient(port: port, receiveBufferBytes: options.receiveBufferBytes)
        try client.connect(options)
        return client
    }

    public func clients(
        _ count: Int, _ options: ClientOptions = ClientOptions()
    ) throws -> [RawClient] {
        try (0..<count).map { _ in try client(options) }
    }
}

/// What a test's client says in CONNECT, and how much its socket holds.
public struct ClientOptions: Sendable {
    public var verbose = false
    public var headers = true
    public var noResponders = true
    public var echo = true
    /// SO_RCVBUF: small, so that a client that does not read is soon felt.
    public var receiveBufferBytes: Int32?
    /// The user's name; the password is the same.
    public var user: String?

    public init(
        verbose: Bool = false, headers: Bool = true, noResponders: Bool = true, echo: Bool = true,
        receiveBufferBytes: Int32? = nil, user: String? = nil
    ) {
        self.user = user
        self.verbose = verbose
        self.headers = headers
        self.noResponders = noResponders
        self.echo = echo
        self.receiveBufferBytes = receiveBufferBytes
    }

    var json: String {
        let login = user.map { "\"user\":\"\($0)\",\"pass\":\"\($0)\"," } ?? ""
        return """
            {"verbose":\(verbose),"pedantic":false,"headers":\(headers),\
            "no_responders":\(noResponders),"echo":\(echo),\(login)\
            "protocol":0,"name":"test","lang":"swift","version":"1"}
            """
    }
}
