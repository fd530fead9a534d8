/// A subscription of a client in this process: its messages, one after another.
///
/// ```swift
/// for try await message in subscription { … }
/// ```
///
/// The iteration ends after `unsubscribe()`, after `close()` or `drain()` of the client, and when the
/// subscription's maximum has come. It throws when the broker closes the connection. Several tasks
/// may iterate: each message goes to one of them. A subscription that nobody refers to any more
/// is unsubscribed.
public final class InProcessSubscription: AsyncSequence, Sendable {
    public typealias Element = InProcessMessage
    /// What ends the iteration when the broker closes the connection.
    public typealias Failure = BrokerError

    /// What waits for whoever iterates, and what happens when that is too much.
    public struct Limits: Sendable {
        /// What happens to a message that there is no room for.
        public enum Overflow: Sendable {
            /// Throws away what comes; `droppedMessages` counts it.
            case dropNew
            /// Throws away the oldest that waits; `droppedMessages` counts it.
            case dropOld
            /// Reads nothing more for this client until there is room. The broker then holds messages
            /// for the whole client, up to `max_pending`, and deals with it as with any slow
            /// consumer. Answers to requests of the same client wait as well.
            case wait
        }

        /// Messages that wait.
        public var messagesMax: Int
        /// Bytes of payloads that wait; one message is taken however large it is.
        public var bytesMax: Int
        /// What happens beyond that.
        public var overflow: Overflow

        /// 65,536 messages and 64 MiB unless told otherwise; `messagesMax` is at least 1.
        public init(
            messagesMax: Int = 65_536, bytesMax: Int = 64 << 20, overflow: Overflow = .dropNew
        ) {
            precondition(messagesMax > 0, "a subscription needs room for a message")
            self.messagesMax = messagesMax
            self.bytesMax = bytesMax
            self.overflow = overflow
        }
    }

    /// One of those who iterate.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let subscription: InProcessSubscription

        public func next() async throws(BrokerError) -> InProcessMessage? {
            try await subscription.buffer.next()
        }

        public func next(
            isolation actor: isolated (any Actor)?
        ) async throws(BrokerError) -> InProcessMessage? {
            try await subscription.buffer.next()
        }
    }

    /// What was subscribed to, wildcards included.
    public let subject: String
    /// The queue group, if it is in one.
    public let queue: String?
    let id: UInt64
    let buffer: InProcessBuffer
    /// Keeps the client open while there are subscriptions.
    private let client: InProcessClient

    init(
        subject: String, queue: String?, id: UInt64, buffer: InProcessBuffer,
        client: InProcessClient
    ) {
        self.subject = subject
        self.queue = queue
        self.id = id
        self.buffer = buffer
        self.client = client
    }

    deinit {
        buffer.wasConsumed.resolve(.success(()))
        guard client.connection.remove(id) else { return }
        Task { [connection = client.connection, id] in
            try? await connection.send(Array(ClientLine.unsubscribe(id).utf8))
        }
    }

    /// Messages that come to it are taken by whoever iterates first.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(subscription: self) }

    /// Messages that were thrown away by the overflow policy.
    public var droppedMessages: UInt64 { buffer.dropped }

    /// Returns when the broker sends no more. What came before can still be iterated.
    public func unsubscribe() async throws(BrokerError) {
        guard client.connection.contains(id) else { return }
        try await client.connection.sendAndWait(ClientLine.unsubscribe(id))
        _ = client.connection.remove(id)
        buffer.finish()
    }

    /// Ends after this many messages, counted from the first that came; at once if there were as
    /// many already.
    public func unsubscribe(after maximum: Int) async throws(BrokerError) {
        guard maximum > 0 else { return try await unsubscribe() }
        guard client.connection.contains(id) else { return }
        let line = ClientLine.unsubscribe(id, after: maximum)
        try await client.connection.send(Array(line.utf8))
        if buffer.finish(after: UInt64(maximum)) { _ = client.connection.remove(id) }
    }
}
