import Dispatch
import Logging

@testable import MartletBroker

extension BrokerConfiguration {
    /// What every broker under test has: a free port of 127.0.0.1, and memory that leaves some to others.
    public static func underTest(
        loops: Int = 1, _ change: (inout BrokerConfiguration) -> Void = { _ in }
    ) -> BrokerConfiguration {
        var configuration = BrokerConfiguration()
        configuration.host = "127.0.0.1"
        configuration.port = -1
        configuration.loopCount = loops
        configuration.limits.memoryBytesMax = 256 << 20
        // A machine that is busy with other tests may take long to read.
        configuration.limits.writeDeadlineNanoseconds = 600_000_000_000
        change(&configuration)
        return configuration
    }
}

extension Logger {
    public static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// A broker in this process that ends with the test, and the wire by which its raw clients reach it.
public final class TestBroker: Sendable {
    public let broker: Broker
    public let wire: Wire

    /// Starts a broker with `loops` event loops and whatever `change` changes.
    public convenience init(
        loops: Int = 1, over wire: Wire = .tcp, logger: Logger = .silent,
        _ change: (inout BrokerConfiguration) -> Void = { _ in }
    ) throws {
        let configuration = BrokerConfiguration.underTest(loops: loops) {
            wire.configure(&$0)
            change(&$0)
        }
        try self.init(starting: Broker(configuration: configuration, logger: logger), over: wire)
    }

    public init(starting broker: Broker, over wire: Wire = .tcp) throws {
        self.broker = broker
        self.wire = wire
        try broker.start()
    }

    deinit { broker.stop() }

    /// A connection on which nothing has been said.
    public func rawClient(pendingBytes: Int? = nil) throws -> RawClient {
        RawClient(try wire.connect(broker, pendingBytes))
    }

    /// A client that is connected and has had its first PONG. Brokers hand each connection to the loop
    /// with the fewest, so clients that are made one after another go to the loops in turn.
    public func client(_ options: ClientOptions = ClientOptions()) throws -> RawClient {
        let client = try rawClient(pendingBytes: options.pendingBytes)
        try client.connect(options)
        return client
    }

    public func clients(
        _ count: Int, _ options: ClientOptions = ClientOptions()
    ) throws -> [RawClient] {
        try (0..<count).map { _ in try client(options) }
    }

    /// A client that has sent these lines, and the broker has acted on them.
    public func subscriber(
        _ lines: String..., options: ClientOptions = ClientOptions()
    ) throws -> RawClient {
        try subscribers(1, lines, options)[0]
    }

    public func subscribers(
        _ count: Int, _ lines: String..., options: ClientOptions = ClientOptions()
    ) throws -> [RawClient] {
        try subscribers(count, lines, options)
    }

    private func subscribers(
        _ count: Int, _ lines: [String], _ options: ClientOptions
    ) throws -> [RawClient] {
        let clients = try clients(count, options)
        for client in clients {
            try client.send(lines.map { $0 + "\r\n" }.joined())
            try client.barrier()
        }
        return clients
    }

    /// The open connections, without the pool that tests may have filled with blocked threads.
    public func connections(subscriptions: Bool = false) -> [ConnectionSnapshot] {
        let all = Guarded<[ConnectionSnapshot]>([])
        let group = DispatchGroup()
        for loop in broker.shared.loops {
            group.enter()
            let listing = ConnectionListing(withSubscriptions: subscriptions) { some in
                all.withLock { $0 += some }
                group.leave()
            }
            if !loop.mail.post(.describeConnections(listing)) { listing.finish() }
        }
        group.wait()
        return all.withLock { $0 }
    }

    /// The loops that have connections.
    public var usedLoops: Set<Int> { Set(connections().map(\.loop)) }
}

/// Over which wire something is proved, and on how many loops.
public struct BrokerSetup: Sendable, CustomStringConvertible {
    public let wire: Wire
    public let loops: Int

    public static let loopCounts = [1, 2, 4]
    public static let all = with(loops: loopCounts)

    public static func with(loops: [Int]) -> [BrokerSetup] {
        Wire.all.flatMap { wire in loops.map { BrokerSetup(wire: wire, loops: $0) } }
    }

    public var description: String { "\(wire), \(loops) loops" }

    public func broker(
        _ change: (inout BrokerConfiguration) -> Void = { _ in }
    ) throws -> TestBroker {
        try TestBroker(loops: loops, over: wire, change)
    }
}

/// Runs `body` with a broker that listens on `port`, or does not listen, and ends with it.
public func withBroker<Result>(
    loops: Int = 1, port: Int? = nil, _ change: (inout BrokerConfiguration) -> Void = { _ in },
    _ body: (Broker) async throws -> Result
) async throws -> Result {
    let broker = try makeBroker(loops: loops, port: port, change)
    try broker.start()
    do {
        let result = try await body(broker)
        await broker.shutdown()
        return result
    } catch {
        await broker.shutdown()
        throw error
    }
}

/// Such a broker that is not started.
public func makeBroker(
    loops: Int = 1, port: Int? = nil, _ change: (inout BrokerConfiguration) -> Void = { _ in }
) throws -> Broker {
    let configuration = BrokerConfiguration.underTest(loops: loops) {
        $0.port = port ?? -1
        $0.dontListen = port == nil
        change(&$0)
    }
    return try Broker(configuration: configuration, logger: .silent)
}

/// What a test changes in the configuration, as an argument beside a trailing closure.
public func changing(
    _ change: @escaping (inout BrokerConfiguration) -> Void
) -> (inout BrokerConfiguration) -> Void {
    change
}
