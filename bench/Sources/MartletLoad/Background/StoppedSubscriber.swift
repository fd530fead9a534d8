/// A subscriber that reads nothing, or less than it is sent, and the publisher that sends to it. A
/// server may drop the messages or the connection; the latter connects again.
///
/// SAFETY: the block of the payload is its own until `deinit`.
@safe final class StoppedSubscriber: BackgroundActivity {
    private let turns: Turns
    private let publisher: Link
    private var subscriber: Link
    private let subject: String
    private let head: Head
    private let payload: UnsafeMutablePointer<UInt8>
    private var messages: Pace
    private var reads: Pace
    private var pings = Pace(perSecond: 1)
    private var published = 0
    private var closed = 0
    private static let payloadBytes = 1_024
    /// What may wait in the publisher, in case the server takes no more from it.
    private static let pendingBytesMax = 1 << 20

    init(_ turns: Turns, name: Int, messagesPerSecond: Int, readsPerSecond: Int) throws {
        self.turns = turns
        subject = "bench.stopped.\(name)"
        publisher = try turns.connect(.background)
        subscriber = try turns.connect(.stopped)
        head = Head(turns.wire, subject: subject, payloadBytes: Self.payloadBytes)
        unsafe payload = .allocate(capacity: Self.payloadBytes)
        unsafe payload.initialize(repeating: 97, count: Self.payloadBytes)
        messages = Pace(perSecond: messagesPerSecond)
        reads = Pace(perSecond: readsPerSecond)
        subscriber.subscribe(subject)
    }

    func tick(_ count: Int) throws {
        if publisher.isClosed { throw LoadFailure("the server closed a publishing connection") }
        let readCount = reads.due(count)
        if readCount > 0, !subscriber.isClosed { try subscriber.discard(readCount) }
        if subscriber.isClosed {
            closed += 1
            subscriber = try turns.reconnect(subscriber)
            subscriber.subscribe(subject)
        }
        // The end of a connection stands behind what is not read; only writing shows it.
        if pings.due(count) > 0 {
            subscriber.send(turns.wire.ping)
            turns.markDirty(subscriber)
        }
        let sendCount = messages.due(count)
        guard sendCount > 0, publisher.pendingBytes < Self.pendingBytesMax else { return }
        for _ in 0..<sendCount {
            unsafe publisher.send(head.bytes, head.count, due: 0, payload, Self.payloadBytes)
        }
        published += sendCount
        turns.markDirty(publisher)
    }

    var counts: [(String, Int)] { [("stopped_sent", published), ("stopped_closed", closed)] }

    deinit { unsafe payload.deallocate() }
}
