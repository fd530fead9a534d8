import MartletRules
import Synchronization

/// A handler's own connection to the broker: a subscription at one end, a closure at the other.
///
/// One thread of the pool at a time serves it, in the order in which requests come, so requests of one
/// publisher keep their order. It is woken by the pipe and goes back to sleep when the pipe is empty.
///
/// SAFETY: what is not constant or atomic is reached only while `reading` is held. The thread that serves
/// lets go of it while the closure runs; what the closure works with is then touched by nobody else.
final class HandlerConnection: @unchecked Sendable {
    /// Who sees to it that what comes is read.
    enum Phase {
        /// Nobody: a wake-up puts it in line.
        static let idle = 0
        /// Somebody, who looks once more before it is idle again.
        static let active = 1
        /// Somebody, and more has come since.
        static let activeAgain = 2
    }

    let service: HandlerService
    let pool: HandlerPool
    /// A running broker keeps itself alive; one that has gone needs no handlers.
    weak let broker: Broker?
    let outlet: HandlerOutlet
    let place: PipePlace
    var pipe: MemoryPipe { outlet.pipe }
    /// Until the broker has answered to the SUB.
    let isOpening = Atomic<Bool>(true)
    /// Raised whenever something comes before that, and when it has.
    let opened = ThreadSignal()
    let phase = Atomic<Int>(Phase.active)
    /// Times that the pipe was emptied by whoever serves: the supervisor sees progress by it.
    let takes = Atomic<Int>(0)
    /// Requests of an asynchronous handler that are under way.
    let inFlight = Atomic<Int>(0)
    let isDraining = Atomic<Bool>(false)

    let reading = ThreadLock()
    /// What whoever serves has taken out of the pipe.
    let input: ServerInput
    /// What the supervisor has, when it takes what the handler does not get to.
    let shedInput: ServerInput
    let exchange: HandlerExchange
    /// The SUB is written: the next PONG answers to it.
    var isSubscribing = false
    var sawLastRequest = false
    var isClosed = false
    /// What the broker has against the connection.
    var lastError: String?

    /// The pool's: the next one in line.
    var nextInLine: HandlerConnection?
    /// The supervisor's: what it saw, and since when.
    var watch = HandlerWatch()

    init(_ service: HandlerService, on broker: Broker) throws(RuleError) {
        self.service = service
        self.broker = broker
        pool = broker.handlers
        let fields = try HandlerFields(service.fields, limits: service.jsonLimits)
        let (place, room) = (PipePlace(on: nil, of: broker.shared), ThreadSignal())
        let reader = HandlerReader()
        let pipe = MemoryPipe(
            wakeBroker: { place.wakeLoop() }, wakePeer: { reader.connection?.wake() },
            makeRoomKnown: { room.raise() })
        self.place = place
        outlet = HandlerOutlet(
            pipe: pipe, room: room,
            controlLineBytesMax: broker.configuration.limits.controlLineBytesMax)
        let partial = PartialFrame()
        input = ServerInput(partial)
        shedInput = ServerInput(partial)
        exchange = HandlerExchange(outlet: outlet, fields: fields)
        reader.connection = self
    }

    /// There is something in the pipe, or room for an asynchronous handler's next request.
    func wake() {
        if isOpening.load(ordering: .relaxed) { opened.raise() }
        while true {
            switch phase.load(ordering: .acquiring) {
            case Phase.idle:
                if exchangePhase(Phase.idle, Phase.active) { return pool.queue(self) }
            case Phase.active:
                if exchangePhase(Phase.active, Phase.activeAgain) { return }
            default: return
            }
        }
    }

    func exchangePhase(_ old: Int, _ new: Int) -> Bool {
        phase.compareExchange(
            expected: old, desired: new, ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// No new requests: the broker's PONG comes behind the last one.
    func drain() {
        isDraining.store(true, ordering: .sequentiallyConsistent)
        outlet.write(line: ClientLine.unsubscribe(1) + ClientLine.ping)
    }

    /// Held: `reading`. Nothing more is read.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        pipe.peerClose()
        outlet.room.raise()
    }
}

/// What a pipe knows of its reader, which it does not keep alive.
///
/// SAFETY: written once before the pipe is given to a loop; reading a weak reference is atomic.
private final class HandlerReader: @unchecked Sendable {
    weak var connection: HandlerConnection?
}
