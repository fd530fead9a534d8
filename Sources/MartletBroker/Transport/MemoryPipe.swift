/// Two bounded byte streams between the broker and a peer in the same process.
///
/// The loop reads and writes as if it were a socket. A side that found nothing to read, or no room to
/// write, is told when that has changed, and only then: a busy stream costs no wake-ups.
final class MemoryPipe: Sendable {
    struct State {
        var toBroker: [UInt8] = []
        var toBrokerStart = 0
        var toPeer: [UInt8] = []
        var peerClosed = false
        var brokerClosed = false
        var brokerWaitsForInput = true
        var brokerWaitsForRoom = false
        var peerWaitsForRoom = false
        /// Of the broker that has adopted it.
        private var budget: MemoryBudget?
        private var countedBytes = 0

        var unread: Int { toBroker.count - toBrokerStart }

        /// Before bytes are added: what was read goes. Moving the rest costs no more than reading it did.
        mutating func dropRead(beyond capacity: Int) {
            guard toBrokerStart >= capacity else { return }
            toBroker.removeFirst(toBrokerStart)
            toBrokerStart = 0
        }

        /// What the streams take counts there from now on.
        mutating func count(in budget: MemoryBudget) {
            self.budget = budget
            recount()
        }

        /// After a stream may have grown, or was exchanged for another.
        mutating func recount() { count(toBroker.capacity + toPeer.capacity) }

        fileprivate mutating func count(_ byteCount: Int) {
            guard byteCount != countedBytes, let budget else { return }
            budget.charge(byteCount - countedBytes)
            countedBytes = byteCount
        }
    }

    /// Bytes that one direction holds before its writer has to wait.
    let capacity: Int
    let state = Guarded(State())
    /// Tells the loop that there is something to read, or room to write again.
    let wakeBroker: @Sendable () -> Void
    /// Tells the peer that there is something to read, or that the broker has closed.
    let wakePeer: @Sendable () -> Void
    /// Tells the peer that there is room to write again, or that the broker has closed.
    let makeRoomKnown: @Sendable () -> Void
    /// Says which loop has it now, and where, before that reads on. Without it no other loop can take the pipe.
    let hasMoved: (@Sendable (Mailbox<LoopCommand>, SlabHandle) -> Void)?

    init(
        capacity: Int = 1 << 20, wakeBroker: @escaping @Sendable () -> Void,
        wakePeer: @escaping @Sendable () -> Void,
        makeRoomKnown: @escaping @Sendable () -> Void = {},
        hasMoved: (@Sendable (Mailbox<LoopCommand>, SlabHandle) -> Void)? = nil
    ) {
        self.hasMoved = hasMoved
        self.capacity = capacity
        self.wakeBroker = wakeBroker
        self.wakePeer = wakePeer
        self.makeRoomKnown = makeRoomKnown
    }

    deinit {
        state.withLock { $0.count(0) }
    }
}
