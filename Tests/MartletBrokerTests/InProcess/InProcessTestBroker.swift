import Logging

@testable import MartletBroker

/// A running broker without a port, or on a free one, that ends with the body.
func withBroker<Result>(
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

func makeBroker(
    loops: Int = 1, port: Int? = nil, _ change: (inout BrokerConfiguration) -> Void = { _ in }
) throws -> Broker {
    var configuration = BrokerConfiguration()
    configuration.host = "127.0.0.1"
    configuration.port = port ?? -1
    configuration.dontListen = port == nil
    configuration.loopCount = loops
    configuration.limits.memoryBytesMax = 256 << 20
    change(&configuration)
    return try Broker(
        configuration: configuration,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
}

/// What a test changes in the configuration, as an argument beside a trailing closure.
func changing(
    _ change: @escaping (inout BrokerConfiguration) -> Void
) -> (inout BrokerConfiguration) -> Void {
    change
}

extension InProcessSubscription {
    /// The next so many messages.
    func take(_ count: Int) async throws -> [InProcessMessage] {
        var messages: [InProcessMessage] = []
        let iterator = makeAsyncIterator()
        while messages.count < count, let message = try await iterator.next() {
            messages.append(message)
        }
        return messages
    }

    /// All that is left.
    func rest() async throws -> [InProcessMessage] { try await take(.max) }
}

/// Bytes that differ by seed and place, so that a mix-up shows.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ ($0 >> 8) &+ seed &* 17) }
}
