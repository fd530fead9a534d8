import CMartletSystem
import Glibc
import MartletRules
import Synchronization

/// One event loop with its connections, subscriptions, caches and buffers. Only its own thread touches
/// them; other threads write commands or fill its links.
///
/// The files of `MessagePath/` extend it in the order in which a message meets them. State that changes
/// stands behind pointers: the compiler then needs no exclusivity checks on the path.
///
/// SAFETY: whatever stands behind its pointers is touched by `thread` alone, and freed in `deinit`. Debug
/// builds check it where the loop is entered and where connections are looked up, made and ended.
@safe
final class BrokerLoop: EventLoopDriver {
    let index: Int
    let thread = OwningThread()
    let shared: BrokerShared
    let events: EventLoop
    let mail: Mailbox<LoopCommand>
    let pool: BlockPool
    /// Of what subscriptions are called.
    let namePool: SlabPool
    let returns = ReturnStack()
    let cache: MatchCache
    let counters = StablePointer(onLinesOfItsOwn: LoopCounters())
    /// Of the connection that is read now.
    let work = StablePointer(allocating: SliceWork())
    let state: StablePointer<LoopState>
    /// Links to every loop and from every loop, by loop index; the own ones stay unused.
    let outgoing: UnsafeMutablePointer<LoopLinkRef>
    let incoming: UnsafeMutablePointer<LoopLinkRef>
    /// Every loop's mailbox, by loop index: woken without touching a reference count that all loops share.
    let mailboxes: UnsafeMutablePointer<Unmanaged<Mailbox<LoopCommand>>>
    /// Every loop's, by loop index.
    let fullConnections: UnsafeMutablePointer<FullConnections>
    let loopCount: Int
    /// Sockets that were accepted for this loop and are not yet among its connections.
    let connectionsUnderWay = Atomic<Int>(0)

    /// Input of the connection that is read now: what it carried over, and what comes from its socket.
    let input: MutableBytes
    /// A control line's rest in the form subscribers get it, where the publisher wrote it differently.
    let scratch: MutableBytes
    /// Where the broker puts messages together: subject, line and a payload that is not large.
    let frame: MutableBytes
    private let lineMemory: ReservedMemory
    let vectors: UnsafeMutablePointer<iovec>

    // Each has room for the longest control line that a reload may ever allow, and slack behind it.
    /// What a connection keeps: a verb, a control line, a small payload; then one read.
    static let inputBytes =
        64 + BrokerConfiguration.Limits.controlLineBytesCeiling + largePayloadBytes + readBytesMax
    static let scratchBytes = BrokerConfiguration.Limits.controlLineBytesCeiling
    static let frameNamesBytes =
        RuleOutput.subjectBytesMax + BrokerConfiguration.Limits.controlLineBytesCeiling
    /// Subjects, the line's numbers, a payload that is not large.
    static let frameBytes = frameNamesBytes + 64 + largePayloadBytes

    static let vectorsMax = 64
    /// Read at once from a socket.
    static let readBytesMax = 64 << 10
    /// Payloads from this size on are read apart and shared by their subscribers.
    static let largePayloadBytes = 16 << 10
    /// A destination with this much pending is written before the turn ends.
    static let earlyFlushBytes = 256 << 10
    /// A turn that has handled events for this long ends, and the next goes on with the others.
    static let turnNanosecondsMax: UInt64 = 200_000
    /// Connections written to at the end of a turn; 64 writes take 260 to 520 µs. A publisher that fans out to
    /// more is read again when all are written; other loops' publishers cannot be stopped at once, so a
    /// turn that has delivered their messages writes to all.
    var flushesPerTurn: Int { state.pointee.hasTakenBatches ? .max : Self.flushesPerTurnMax }
    static let flushesPerTurnMax = 64
    /// Connections written to between two events: more would be a fan-out, which can wait.
    static let flushesBetweenEvents = 8
    /// A connection that would be written to twice in a turn gathers its output for this many turns.
    static let gatheringTurns: UInt8 = 64

    init(index: Int, shared: BrokerShared, clock: Clock, seed: UInt64) throws(SystemFailure) {
        self.index = index
        self.shared = shared
        loopCount = shared.loopCount
        events = try EventLoop(clock: clock)
        mail = try Mailbox()
        try mail.attach(to: events.poller)
        pool = BlockPool(budget: shared.budget)
        namePool = SlabPool(budget: shared.subscriptionBudget)
        cache = MatchCache(
            loop: index, pool: pool, budget: shared.budget,
            bytesMax: MatchCache.bytesMax(of: shared.budget, loopCount: loopCount),
            counters: counters, work: work)
        unsafe outgoing = .allocate(capacity: loopCount)
        unsafe incoming = .allocate(capacity: loopCount)
        unsafe mailboxes = .allocate(capacity: loopCount)
        // Until the loops are connected, each mailbox is its own.
        for i in 0..<loopCount { unsafe (mailboxes + i).initialize(to: .passRetained(mail)) }
        let ownFullConnections = try FullConnections()
        unsafe fullConnections = .allocate(capacity: loopCount)
        unsafe fullConnections.initialize(repeating: ownFullConnections, count: loopCount)
        let slack = Parser.slack
        lineMemory = try ReservedMemory(
            byteCount: Self.inputBytes + slack + Self.scratchBytes + slack + Self.frameBytes + slack
        )
        unsafe input = lineMemory.bytes
        unsafe scratch = input + Self.inputBytes + slack
        unsafe frame = scratch + Self.scratchBytes + slack
        unsafe vectors = .allocate(capacity: Self.vectorsMax)
        state = StablePointer(
            onLinesOfItsOwn: LoopState(
                now: clock.now(), settings: LoopSettings(shared.configuration), shared: shared,
                seed: seed))
    }

    deinit {
        state.pointee.destroy()
        state.destroy()
        counters.destroy()
        work.destroy()
        cache.destroy()
        events.destroy()
        returns.destroy()
        pool.destroy()
        namePool.destroy()
        lineMemory.release()
        unsafe vectors.deallocate()
        unsafe outgoing.deallocate()
        unsafe incoming.deallocate()
        for i in 0..<loopCount { unsafe mailboxes[i].release() }
        unsafe mailboxes.deallocate()
        unsafe fullConnections[index].release()
        unsafe fullConnections.deallocate()
    }

    /// The loop's thread: runs until a command says stop.
    func run() {
        thread.claim()
        martlet_wake_in_time()
        events.run(self)
        closeEverything()
        declineCommands()
        thread.letGo()
    }

    // MARK: EventLoopDriver

    var now: UInt64 {
        @inline(__always) get { state.pointee.now }
        @inline(__always) set { state.pointee.now = newValue }
    }

    var isStopping: Bool { state.pointee.isStopping }
    var hasWorkLeft: Bool {
        state.pointee.resumable.count | state.pointee.closing.count
            | state.pointee.unflushed.count | state.pointee.leaving.count
            | state.pointee.longPublishes.count != 0
    }

    @inline(__always)
    func descriptorIsReady(_ token: UInt64, _ readiness: Readiness) {
        assert(thread.isCurrent)
        guard token < Listener.firstToken else { return acceptConnections(token) }
        let index = Int(truncatingIfNeeded: token & 0xFFFF_FFFF)
        let connection = state.pointee.connections[index]
        guard connection.pointee.handle.generation == UInt32(truncatingIfNeeded: token &>> 32)
        else {
            return
        }
        if readiness.contains(.writable) { flush(connection) }
        if !readiness.isDisjoint(with: .hangUp), !connection.pointee.pauseReasons.isEmpty {
            return peerHangsUp(connection)
        }
        if !readiness.isDisjoint(with: [.readable, .hangUp]) { readInput(connection) }
        flushBetweenEvents()
    }

    func deadlineHasCome(_ deadline: UInt64, for owner: TimerOwner) {
        assert(thread.isCurrent)
        switch owner.kind {
        case .connection: connectionIsDue(deadline, owner.slot)
        case .stallLog: logWorstStall()
        case .unusedMemory: giveBackUnusedMemory()
        case .memoryWaitLog: logMemoryWaits()
        default: preconditionFailure("a deadline of a kind that this loop does not know")
        }
    }

    var outputDueAt: UInt64 { min(state.pointee.outputDueAt, state.pointee.held.dueAt) }
    var spinNanoseconds: UInt64 { state.pointee.settings.spinNanoseconds }
    var turnNanosecondsMax: UInt64 { Self.turnNanosecondsMax }
    var measuresThreadTime: Bool { state.pointee.settings.measuresThreadTime }

    @inline(__always)
    func clockWasRead(_ now: UInt64) { work.pointee.startedAt = now }

    @inline(__always)
    func turnTook(_ nanoseconds: UInt64, events: Int) {
        let isLong = nanoseconds > state.pointee.settings.stallThresholdNanoseconds
        if !isLong || recordStall(nanoseconds, events) {
            counters.pointee.recordTurn(nanoseconds, at: now)
        }
        state.pointee.messagesBefore = counters.pointee.messagesOut.total
        state.pointee.heaviest.amount = HeaviestWork.amountMin
        state.pointee.commandsInTurn = 0
    }

    // MARK: Connections by handle

    @inline(__always)
    func connection(_ handle: SlabHandle) -> ConnectionRef? {
        assert(thread.isCurrent)
        guard Int(handle.index) < state.pointee.connections.endIndex else { return nil }
        let connection = state.pointee.connections[Int(handle.index)]
        return connection.pointee.handle.generation == handle.generation ? connection : nil
    }

    @inline(__always)
    static func token(of connection: ConnectionRef) -> UInt64 {
        UInt64(connection.pointee.handle.index) | UInt64(connection.pointee.handle.generation)
            &<< 32
    }
}

/// What changes in a loop, in one place behind one pointer.
///
/// SAFETY: the loop's thread alone; `arrived` has an initialised place for every loop until `destroy()`.
@safe
struct LoopState {
    var now: UInt64
    var settings: LoopSettings

    var connections: Slab<Connection>
    /// Those that monitoring shows.
    var order = ConnectionOrder()
    var subscriptions: Slab<Subscription>
    /// On the first loop, which accepts for all.
    var listeners: [Listener] = []

    /// Connections with something to flush, to read on, or to close when the turn ends.
    var dirty = HandleList()
    /// Of `dirty`, so many at the start gather output until the turn ends.
    var gathering = 0
    var turn: UInt32 = 1
    /// Other loops' messages were delivered in this turn.
    var hasTakenBatches = false
    /// Of an earlier turn, which wrote to so many connections that it left the others.
    var unflushed = HandleList()
    /// Connections whose output from fan-outs waits for more to come, and how long.
    var held = HeldOutput()
    var outputPace = OutputPace()
    /// Publishers to more connections than a turn writes to, until those are written.
    var fannedOut = HandleList()
    var resumable = HandleList()
    /// Connections whose slice of this turn is used up, with input left.
    var yielded = HandleList()
    var closing = HandleList()
    /// Connections that are closed, whose subscriptions are not all removed yet, and how many this turn may.
    var leaving = GrowableBuffer<Leaving>()
    var departuresLeft = 0
    /// Messages whose subscribers take long to find, and the match of the first one.
    var longPublishes = GrowableBuffer<LongPublish>()
    var longMatch: LongMatch?
    /// Publishers that wait for a link to another loop to drain.
    var waitingForLinks = HandleList()

    /// Destinations on other loops of the message that is published now, by loop.
    var remote: RemoteDestinations
    /// Batches of other loops that were taken and not delivered yet, by loop.
    var arrived: UnsafeMutablePointer<ArrivedBatches>

    /// A member of a queue group that has no room leaves the message to others, and some have.
    var passesOver = false
    var hasPassedOver = false

    var moves = Moves()
    var ruleStage = RuleStage()
    var random: RandomSource
    /// For tables whose keys clients choose.
    let hashSeed: UInt64
    /// When output that is held back must leave; the largest number when none is.
    var outputDueAt = UInt64.max
    /// Commands that were collected, and how many of them were read; empty, its memory serves the next ones.
    var commands = Mailbox<LoopCommand>.roomForCommands()
    var commandsRead = 0
    /// For `recordStall`: deliveries before this turn, commands read in it, and what took most of it.
    var messagesBefore = 0
    var commandsInTurn = 0
    var heaviest = HeaviestWork()
    /// The longest stall that is not logged yet.
    var worstStall: LoopStall?
    /// The last one, which was the lowest number that was free.
    var acceptedDescriptor: Int32 = -1
    /// Sockets closed since the last line about it, because no descriptor was left for them.
    var refusedForDescriptors = 0
    var refusalLogDueAt: UInt64 = 0
    /// Operations that the system had no memory for, since the last line about it.
    var refusedForMemory = 0
    var memoryLogDueAt: UInt64 = 0
    /// A timer runs for `giveBackUnusedMemory`.
    var looksForUnusedMemory = false
    /// When other loops were last asked to let subscriptions go.
    var sheddingAskedAt: UInt64 = 0
    /// When memory is short, idle blocks are looked at again from this time on.
    var sortingDueAt: UInt64 = 0
    /// The most connections that waited for memory at once since the last line about it; 0 when nobody has.
    var memoryWaitersMost = 0
    var memoryWaitLogDueAt: UInt64 = 0
    /// What is being read now had to go over the memory budget.
    var isShortOfMemory = false
    var isStopping = false
    var isLameDuck = false

    init(now: UInt64, settings: LoopSettings, shared: BrokerShared, seed: UInt64) {
        connections = Slab(budget: shared.budget)
        subscriptions = Slab(budget: shared.subscriptionBudget)
        self.now = now
        self.settings = settings
        random = RandomSource(seed: seed)
        hashSeed = random.next()
        remote = RemoteDestinations(loopCount: shared.loopCount)
        unsafe arrived = .allocate(capacity: shared.loopCount)
        unsafe arrived.initialize(repeating: ArrivedBatches(), count: shared.loopCount)
    }

    func destroy() {
        connections.destroy()
        subscriptions.destroy()
        for list in [
            dirty, unflushed, held.connections, fannedOut, resumable, yielded, closing,
            waitingForLinks,
        ] {
            list.destroy()
        }
        leaving.destroy()
        longPublishes.destroy()
        remote.destroy()
        ruleStage.destroy()
        unsafe arrived.deallocate()
    }
}
