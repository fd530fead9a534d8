import MartletRules
import Synchronization

/// How a handler's connection begins: the thread that wants it reads the pipe itself until the broker
/// has let it in. Then the pool has it, because requests may come before the answer to its SUB.
extension HandlerConnection {
    private static let openNanosecondsMax: UInt64 = 10_000_000_000

    static func open(
        _ service: HandlerService, on broker: Broker
    ) throws(BrokerError) -> HandlerConnection {
        let connection: HandlerConnection
        do throws(RuleError) {
            connection = try HandlerConnection(service, on: broker)
        } catch {
            throw BrokerError(.unknownField, "\(error)")
        }
        guard broker.isRunning, connection.place.give(connection.pipe, from: service.peer) else {
            throw Broker.notRunning
        }
        do throws(BrokerError) {
            try connection.subscribe()
        } catch {
            connection.reading.withLock { connection.close() }
            throw error
        }
        return connection
    }

    private func subscribe() throws(BrokerError) {
        let due = Clock.monotonicNanoseconds() &+ Self.openNanosecondsMax
        try read(until: .info, due)
        let request = ConnectRequest(
            name: "handler of \(service.subject)", credentials: service.credentials,
            hasHeaders: outlet.hasHeaders)
        outlet.write(line: ClientLine.connect(request) + ClientLine.ping)
        try read(until: .pong, due)
        reading.withLock { isSubscribing = true }
        let line = ClientLine.subscribe(service.subject, queue: service.queue, id: 1)
        outlet.write(line: line + ClientLine.ping)
        pool.take(self)
        while isOpening.load(ordering: .sequentiallyConsistent) {
            guard Clock.monotonicNanoseconds() < due else { throw Self.noAnswer }
            opened.wait(atMost: 100_000_000)
        }
        if let refusal = reading.withLock({ lastError }) {
            pool.remove(self)
            throw BrokerError(refusal: refusal)
        }
    }

    private static var noAnswer: BrokerError {
        BrokerError(.timeout, "the broker does not answer")
    }

    /// Reads up to a frame of this kind.
    private func read(until kind: ServerFrame.Kind, _ due: UInt64) throws(BrokerError) {
        var isThere = false
        while !isThere {
            let end = reading.withLock {
                unsafe input.visit { frame, bytes in
                    unsafe take(control: frame, bytes)
                    isThere = isThere || frame.kind == kind
                    return !isThere && lastError == nil
                }
            }
            if let lastError { throw BrokerError(refusal: lastError) }
            if isThere { return }
            guard end == .exhausted, reading.withLock({ fill(input) }) else {
                throw BrokerError(.connectionClosed, "the broker closed the handler's connection")
            }
            guard input.isEmpty else { continue }
            guard Clock.monotonicNanoseconds() < due else { throw Self.noAnswer }
            opened.wait(atMost: 100_000_000)
        }
    }
}
