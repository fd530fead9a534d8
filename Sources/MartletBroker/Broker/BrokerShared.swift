import Glibc
import Synchronization

/// What all loops of a broker share. Constant after start, or behind a lock that no message takes.
///
/// SAFETY: `loops` is written once, before any loop runs; all else has a lock or is atomic.
final class BrokerShared: @unchecked Sendable {
    private(set) var loops: [BrokerLoop] = []

    let loopCount: Int
    let events: any EventSink
    let budget: MemoryBudget
    /// What the subscriptions of all accounts may take: half of it, so that messages have some too.
    let subscriptionBudget: MemoryBudget
    let accounts: AccountDirectory
    let serverID: String
    let serverName: String
    let startedAt = Clock.wallNanoseconds()
    let credentialChecks: CredentialChecks
    let rules: RuleControl
    let standstills = StandstillWatch()
    let batchOrder = StablePointer(onLinesOfItsOwn: BatchOrder())
    /// A descriptor kept free for the moment when there are none left.
    let spareDescriptor = unsafe Guarded(open("/dev/null", O_RDONLY | O_CLOEXEC))

    private let current: Guarded<BrokerConfiguration>
    private let currentAuthenticator: Guarded<Authenticator>
    /// Connections that count towards `max_connections`.
    private let admitted = Atomic<Int>(0)
    private let boundClientPort = Atomic<Int>(0)
    private let accessChanges = Atomic<Int>(0)
    private let lastConnectionID = Atomic<UInt64>(0)
    private let closed: Guarded<ClosedConnections>
    private let placement: Guarded<Placement>
    /// Of the thread that looks for standstills.
    private let balance = Guarded(Balance())
    /// How many loops there are is the broker's to choose, and so is which of them have work.
    private let sharesWork: Bool

    init(
        configuration: BrokerConfiguration, loopCount: Int, events: any EventSink, seed: UInt64
    ) {
        self.loopCount = loopCount
        self.events = events
        credentialChecks = CredentialChecks(threadsMax: CoreCount.usable - loopCount)
        current = Guarded(configuration)
        budget = MemoryBudget(
            bytesMax: configuration.limits.memoryBytesMax > 0
                ? configuration.limits.memoryBytesMax : Self.defaultMemoryBytes())
        subscriptionBudget = MemoryBudget(bytesMax: budget.bytesMax / 2, partOf: budget)
        accounts = AccountDirectory(budget: subscriptionBudget, seed: seed)
        closed = Guarded(ClosedConnections(budget: budget))
        sharesWork = configuration.loopCount == nil && loopCount > 1
        placement = Guarded(Placement(loopCount: loopCount, followsLoad: sharesWork))
        currentAuthenticator = Guarded(
            Authenticator(configuration.authorization, accounts: accounts))
        rules = RuleControl(loopCount: loopCount, budget: budget, accounts: accounts, seed: seed)
        serverID = Self.makeServerID()
        serverName = configuration.serverName ?? serverID
    }

    deinit {
        batchOrder.destroy()
        spareDescriptor.withLock { if $0 >= 0 { close($0) } }
    }

    /// Gives every pair of loops a link in each direction.
    func connect(_ loops: [BrokerLoop]) {
        for source in loops {
            for target in loops {
                let link = LoopLinkRef(
                    allocating: LoopLink(
                        loopCount: loops.count, memoryBytesMax: budget.bytesMax, order: batchOrder))
                unsafe (source.outgoing + target.index).initialize(to: link)
                unsafe (target.incoming + source.index).initialize(to: link)
                unsafe source.mailboxes[target.index].release()
                unsafe source.mailboxes[target.index] = .passRetained(target.mail)
                unsafe source.fullConnections[target.index] =
                    unsafe target
                    .fullConnections[target.index]
            }
        }
        self.loops = loops
    }

    /// Lets go of the loops, which hold this in turn. Their threads have ended.
    func dissolve() {
        // What was still on its way finds nobody; its payloads go back to their pools.
        for loop in loops { loop.discardJobs() }
        for loop in loops { loop.deliverBatches() }
        for loop in loops { loop.returns.collect(into: loop.pool) }
        for source in loops {
            for target in loops {
                let link = unsafe source.outgoing[target.index]
                link.pointee.destroy(pool: source.pool)
                link.destroy()
            }
        }
        loops = []
    }

    /// Where clients connect, once the broker listens for them; 0 before.
    var clientPort: Int { boundClientPort.load(ordering: .relaxed) }
    func setClientPort(_ port: Int) { boundClientPort.store(port, ordering: .relaxed) }

    var configuration: BrokerConfiguration { current.withLock { $0 } }
    var authenticator: Authenticator { currentAuthenticator.withLock { $0 } }
    var connectionsMax: Int { current.withLock { $0.limits.connectionsMax } }

    /// A reload has changed something since the start.
    var accessHasChanged: Bool { accessChanges.load(ordering: .acquiring) > 0 }

    /// Who connects from now on meets the new users. Loops have settings of their own.
    func replace(_ configuration: BrokerConfiguration) {
        defer { accessChanges.wrappingAdd(1, ordering: .releasing) }
        current.withLock { $0 = configuration }
        currentAuthenticator.withLock {
            $0 = Authenticator(configuration.authorization, accounts: accounts)
        }
    }

    /// The configuration says what holds, whoever replaced it: a reload compares with it.
    func recordRules(_ rules: RulesConfiguration?) { current.withLock { $0.rules = rules } }

    // MARK: Connections

    func nextConnectionID() -> UInt64 {
        lastConnectionID.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Counts a connection in, if there may be one more; exact, whatever loops ask at once.
    func admit() -> Bool {
        guard admitted.wrappingAdd(1, ordering: .relaxed).newValue <= connectionsMax else {
            leave()
            return false
        }
        return true
    }

    func leave() { admitted.wrappingSubtract(1, ordering: .relaxed) }

    /// Counts a connection out if there are more than may be.
    func leaveIfFull() -> Bool {
        let connectionsMax = connectionsMax
        var count = admitted.load(ordering: .relaxed)
        while count > connectionsMax {
            let (isOut, now) = admitted.weakCompareExchange(
                expected: count, desired: count - 1, ordering: .relaxed)
            if isOut { return true }
            count = now
        }
        return false
    }

    /// Connections beyond what may be, after a reload.
    var surplusCount: Int { max(0, admitted.load(ordering: .relaxed) - connectionsMax) }

    var connectionCount: Int { loops.reduce(0) { $0 + $1.counters.pointee.connections.total } }

    /// Ten times a second: asks a loop that has too much to do to give some of it to another one.
    func shareWork() {
        guard sharesWork else { return }
        let now = Clock.monotonicNanoseconds()
        let shares = placement.withLock { placement in
            placement.look(at: now) { loops[$0].counters.pointee.busyNanoseconds.total }
            return placement.shares
        }
        guard let relief = balance.withLock({ $0.look(shares) }) else { return }
        loops[relief.from].mail.post(.relieve(relief))
    }

    /// The loop that `Placement` chooses, where one more is under way from now on.
    func loopForNextConnection() -> Int {
        let now = Clock.monotonicNanoseconds()
        let best = placement.withLock { placement in
            placement.look(at: now) { loops[$0].counters.pointee.busyNanoseconds.total }
            return placement.loopForNext {
                loops[$0].counters.pointee.connections.total
                    + loops[$0].connectionsUnderWay.load(ordering: .relaxed)
            }
        }
        loops[best].connectionsUnderWay.wrappingAdd(1, ordering: .relaxed)
        return best
    }

    func recordClosed(_ snapshot: ConnectionSnapshot) {
        let limit = current.withLock { $0.limits.closedConnectionsMax }
        closed.withLock { $0.append(snapshot, keeping: limit) }
    }

    var closedConnections: [ConnectionSnapshot] {
        // A loop that closes a connection does not wait until they are all copied.
        let closed = closed.withLock { $0 }
        return closed.all
    }

    // MARK: Policies

    /// The policy for subscriptions of a subject: of the first rule that covers it.
    func slowConsumerPolicy(
        subject: MutableBytes, _ count: Int, account: String
    ) -> (policy: BrokerConfiguration.SlowConsumerPolicy, pendingBytesMax: Int?) {
        current.withLock { configuration in
            for rule in configuration.slowConsumers.rules {
                if let wanted = rule.account, wanted != account { continue }
                var filter = rule.subject
                let covers = filter.withUTF8 {
                    unsafe Subject.matches($0.baseAddress!, $0.count, Bytes(subject), count)
                }
                if covers { return (rule.policy, rule.pendingBytesMax) }
            }
            return (configuration.slowConsumers.defaultPolicy, nil)
        }
    }

    // MARK: INFO

    func serverInfo(isLameDuck: Bool) -> ServerInfo {
        let configuration = configuration
        var info = ServerInfo()
        info.serverID = serverID
        info.serverName = serverName
        info.version = Broker.compatibleVersion
        (info.host, info.port) = advertised(configuration)
        info.hasHeaders = !configuration.disablesHeaders
        info.requiresAuthentication = configuration.authorization.isRequired
        info.payloadBytesMax = configuration.limits.payloadBytesMax
        info.isLameDuck = isLameDuck
        return info
    }

    /// Host and port as clients are told: of `client_advertise`, whose port may be left out.
    private func advertised(_ configuration: BrokerConfiguration) -> (String, Int) {
        guard let address = configuration.clientAdvertise else {
            return (configuration.host, clientPort)
        }
        guard let colon = address.lastIndex(of: ":"),
            let port = Int(address[address.index(after: colon)...])
        else { return (address, clientPort) }
        return (String(address[..<colon]), port)
    }

    /// 56 characters of base 32 that start with N, as a nats-server id looks.
    private static func makeServerID() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var generator = SystemRandomNumberGenerator()
        return "N"
            + String((0..<55).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] })
    }

    /// Three quarters of the memory that this process may use: of the machine, of its cgroup, or of the addresses
    /// that it may have.
    private static func defaultMemoryBytes() -> Int {
        var bytes = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        if let file = unsafe fopen("/sys/fs/cgroup/memory.max", "r") {
            var limit = 0
            if unsafe withUnsafeMutablePointer(
                to: &limit, { unsafe withVaList([$0]) { unsafe vfscanf(file, "%ld", $0) } }) == 1
            {
                bytes = min(bytes, limit)
            }
            unsafe fclose(file)
        }
        var addresses = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &addresses) == 0 {
            // Some are reserved without being used.
            bytes = min(bytes, Int(clamping: addresses.rlim_cur) / 3 * 2)
        }
        return bytes / 4 * 3
    }
}
