import MartletRules

/// The threads that evaluate rules. A connection's messages go to one of them while any is under way, so
/// that they keep their order.
typealias RulePool = WorkerPool<RuleWorker, Mailbox<LoopCommand>>

/// The rules of a broker as the control thread has them: what holds now, and the workers.
///
/// The workers are made when there are rules for the first time, and stay.
final class RuleControl: Sendable {
    private struct State {
        var active: ActiveRules?
        var pool: RulePool?
        var isRunning = false
    }

    private let state = Guarded(State())
    private let loopCount: Int
    private let budget: MemoryBudget
    private let accounts: AccountDirectory
    private let seed: UInt64

    init(loopCount: Int, budget: MemoryBudget, accounts: AccountDirectory, seed: UInt64) {
        self.loopCount = loopCount
        self.accounts = accounts
        self.budget = budget
        self.seed = seed
    }

    /// Before the loops run they take the rules at once; later, between two turns. When this returns, all
    /// have them.
    func replace(
        _ configuration: RulesConfiguration?, loops: [BrokerLoop]
    ) throws(BrokerError) {
        try state.withLock { state throws(BrokerError) in
            if let configuration, let pool = state.pool { try expectSame(configuration, pool) }
            let workerCount = configuration.map(workerCount) ?? 0
            var active: ActiveRules?
            if let configuration {
                do throws(RuleSetFailure) {
                    active = try ActiveRules(
                        configuration, threadCount: loopCount + workerCount, accounts: accounts)
                } catch {
                    throw BrokerError(.configuration, error.errors.joined(separator: "\n"))
                }
            }
            if let configuration, state.pool == nil, workerCount > 0 {
                try makePool(workerCount, configuration, loops, &state)
            }
            state.active = active
            hand(active, state, to: loops)
        }
    }

    private func hand(_ active: ActiveRules?, _ state: State, to loops: [BrokerLoop]) {
        guard state.isRunning else {
            for loop in loops { loop.adopt(active, state.pool) }
            return
        }
        loops.postAndWait { .adoptRules(active, state.pool, then: $0) }
    }

    private func workerCount(_ configuration: RulesConfiguration) -> Int {
        configuration.workerCount ?? defaultWorkerCount
    }

    /// The cores that the loops leave, at least one.
    private var defaultWorkerCount: Int { max(1, CoreCount.usable - loopCount) }

    private func expectSame(
        _ configuration: RulesConfiguration, _ pool: RulePool
    ) throws(BrokerError) {
        guard workerCount(configuration) == pool.workerCount,
            configuration.queueJobsMax == pool.jobsMax
        else {
            throw BrokerError(
                .configuration,
                "config reload not supported for rules: workers and max_queue stay until a restart")
        }
    }

    private func makePool(
        _ workerCount: Int, _ configuration: RulesConfiguration, _ loops: [BrokerLoop],
        _ state: inout State
    ) throws(BrokerError) {
        do throws(SystemFailure) {
            let workers = (0..<workerCount).map {
                RuleWorker(
                    thread: loopCount + $0, budget: budget, seed: seed &+ UInt64($0))
            }
            let pool = try RulePool(
                name: "rules", workers: workers, owners: loops.map(\.mail),
                jobsMax: configuration.queueJobsMax)
            if state.isRunning { try pool.start() }
            state.pool = pool
        } catch {
            throw BrokerError(.system, "cannot make the rules' workers: \(error)")
        }
    }

    /// With the loops' threads.
    func start() throws(SystemFailure) {
        try state.withLock { state throws(SystemFailure) in
            state.isRunning = true
            try state.pool?.start()
        }
    }

    /// After the loops' threads have ended.
    func stop() {
        let pool = state.withLock { state in
            state.isRunning = false
            return state.pool
        }
        pool?.stop()
    }

    func snapshot() -> RulesSnapshot? {
        let (active, workerCount) = state.withLock { ($0.active, $0.pool?.workerCount ?? 0) }
        return active.map { RulesSnapshot($0, workerCount: workerCount) }
    }
}
