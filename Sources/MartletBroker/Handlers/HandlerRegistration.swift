import Synchronization

/// A handler that serves requests until it is cancelled or the broker stops.
public final class HandlerRegistration: Sendable {
    private let service: HandlerService

    init(_ service: HandlerService) {
        self.service = service
    }

    /// What requests are published to.
    public var subject: String { service.subject }
    /// The queue group, if there is one.
    public var queue: String? { service.queue }

    /// Requests for which the handler threw.
    public var failedRequests: Int { service.failedRequests.load(ordering: .relaxed) }

    /// Requests that were answered with 503 because the handler did not get to them, and messages without
    /// a reply subject that were dropped for the same reason.
    public var refusedRequests: Int { service.refusedRequests.load(ordering: .relaxed) }

    /// Takes no new requests; those that the broker has given to the handler already are finished. Returns
    /// at once: `waitUntilEnded()` waits for them.
    public func cancel() { service.cancel() }

    /// Whether it is cancelled and all of its requests are finished, or the broker has stopped.
    public var hasEnded: Bool { service.isEnded }

    /// Returns when the handler runs no more: some time after `cancel()`, or when the broker has stopped.
    public func waitUntilEnded() async { await service.waitUntilEnded() }
}
