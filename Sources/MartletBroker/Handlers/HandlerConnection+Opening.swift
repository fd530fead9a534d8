import Logging
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
        let options = InProcessConnection.connectOptions(
            name: "handler of \(service.subject)", credentials: service.credentials, echo: true,
            hasHeaders: outlet.hasHeaders)
        outlet.write(line: "CONNECT \(options)\r\nPING\r\n")
        try read(until: .pong, due)
        reading.withLock { isSubscribing = true }
        let queue = service.queue.map { "\($0) " } ?? ""
        outlet.write(line: "SUB \(service.subject) \(queue)1\r\nPING\r\n")
        pool.take(self)
        while isOpening.load(ordering: .sequentiallyConsistent) {
            guard Clock.monotonicNanoseconds() < due else { throw Self.noAnswer }
            opened.wait(atMost: 100_000_000)
        }
        if let refusal = reading.withLock({ lastError }) {
            pool.remove(self)
            throw Self.refusal(refusal)
        }
    }

    private static var noAnswer: BrokerError {
        BrokerError(.timeout, "the broker does not answer")
    }

    /// Reads up to a frame of this kind.
    private func read(until kind: HandlerFrame.Kind, _ due: UInt64) throws(BrokerError) {
        var isThere = false
        while !isThere {
            let end = reading.withLock {
                unsafe chunk.visit(carry) { frame, bytes in
                    unsafe take(control: frame, bytes)
                    isThere = isThere || frame.kind == kind
                    return !isThere && lastError == nil
                }
            }
            if let lastError { throw Self.refusal(lastError) }
            if isThere { return }
            guard end == .exhausted, reading.withLock({ chunk.fill(from: pipe) }) else {
                throw BrokerError(.connectionClosed, "the broker closed the handler's connection")
            }
            guard chunk.isEmpty else { continue }
            guard Clock.monotonicNanoseconds() < due else { throw Self.noAnswer }
            opened.wait(atMost: 100_000_000)
        }
    }

    private static func refusal(_ text: String) -> BrokerError {
        let quote = UInt8(ascii: "'")
        let inner = String(decoding: text.utf8.filter { $0 != quote }, as: UTF8.self)
        let code: BrokerError.Code =
            inner.hasPrefix("Authori") || inner.hasPrefix("Authentication")
            ? .authorization
            : inner.hasPrefix("Permissions") ? .permission : .connectionClosed
        return BrokerError(code, inner)
    }
}
