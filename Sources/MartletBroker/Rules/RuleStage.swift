import MartletRules

/// What a loop needs for rules; nothing of it is there without a `rules` block.
///
/// SAFETY: it holds a reference each to rules and evaluator, and `workers` one to the pool.
@safe
struct RuleStage {
    var rules: Unmanaged<ActiveRules>?
    var gate = RuleGate()
    var evaluator: Unmanaged<RuleEvaluator>?
    /// Messages below this size are evaluated on the loop.
    var inlineBytesMax = 0
    /// A connection's next operation waits until its jobs are back.
    var keepsOrder = true
    /// The way to each worker; none without a pool.
    var workers: WorkerLinks<RuleJob>?
    /// Whose messages a worker evaluates whatever their size; nil without rules.
    var costly: CostlyRules?

    /// Results taken before the loop looks after its connections again.
    static let resultsAtOnce = 64

    /// Whether small messages may have to go to workers as well.
    var mayNeedWorkers: Bool { workers != nil && costly?.mayBeAny ?? false }

    func destroy() {
        unsafe rules?.release()
        unsafe evaluator?.release()
        workers?.destroy()
        costly?.destroy()
    }
}

extension BrokerLoop {
    /// Lets rules decide about a message. False when none is for it: it is routed as it is.
    @inline(never)
    func applyRules(_ connection: ConnectionRef, _ message: Message) -> Bool {
        let rule = firstRule(message.subject, connection)
        guard rule >= 0, let rules = unsafe state.pointee.ruleStage.rules else { return false }
        let follows =
            connection.pointee.flags.contains(.hasJobs) && state.pointee.ruleStage.keepsOrder
        if follows || goesToWorker(message.totalBytes) || isCostly(rule) {
            submit(message, rule, connection)
        } else if unsafe !evaluateHere(message, rule, rules, connection) {
            state.pointee.ruleStage.costly?.insert(rule, at: now)
            submit(message, rule, connection)
        }
        return true
    }

    /// The first rule for a subject in the connection's account; -1 when there is none.
    func firstRule(_ subject: CountedBytes, _ connection: ConnectionRef) -> Int {
        guard let rules = unsafe state.pointee.ruleStage.rules,
            state.pointee.ruleStage.gate.admits(subject[0])
        else { return -1 }
        return unsafe rules._withUnsafeGuaranteedRef {
            unsafe $0.set.firstRule(
                subject: subject.start, count: subject.count,
                accountNumber: $0.number(ofAccount: connection.pointee.account.pointee.index))
        }
    }

    func goesToWorker(_ byteCount: Int) -> Bool {
        byteCount >= state.pointee.ruleStage.inlineBytesMax
            && state.pointee.ruleStage.workers != nil
    }

    /// Whether a message that was not too much for a loop is one for a worker all the same.
    func isCostly(_ rule: Int) -> Bool {
        state.pointee.ruleStage.costly?.contains(rule, at: now) ?? false
    }

    /// False when that takes longer than a loop may look at one message: then nothing has come of it, and
    /// there is a worker.
    private func evaluateHere(
        _ message: Message, _ rule: Int, _ rules: Unmanaged<ActiveRules>,
        _ connection: ConnectionRef
    ) -> Bool {
        guard let evaluator = unsafe state.pointee.ruleStage.evaluator else { return true }
        let stepsMax = state.pointee.ruleStage.workers == nil ? .max : CostlyRules.stepsMax
        return unsafe rules._withUnsafeGuaranteedRef { rules in
            unsafe evaluator._withUnsafeGuaranteedRef { evaluator in
                let verdict = evaluator.evaluate(
                    message, from: rule, of: rules, clientID: connection.pointee.id,
                    stepsMax: stepsMax)
                work.pointee.add(
                    evaluator.stepsSpent &* SliceWork.ruleStep
                        &+ message.totalBytes &* SliceWork.scannedByte)
                guard let verdict else { return false }
                settle(verdict, RuleOutcome(evaluator.output), message, rules)
                return true
            }
        }
    }
}

// MARK: - A reload

extension BrokerLoop {
    /// From the next message on, these rules hold; nil is none. What is with a worker keeps its own.
    func adopt(_ rules: ActiveRules?, _ pool: RulePool?) {
        unsafe state.pointee.ruleStage.rules?.release()
        unsafe state.pointee.ruleStage.rules = unsafe rules.map { unsafe .passRetained($0) }
        state.pointee.ruleStage.costly?.destroy()
        state.pointee.ruleStage.costly = rules.map { CostlyRules(ruleCount: $0.set.ruleCount) }
        state.pointee.ruleStage.gate = rules?.gate ?? RuleGate()
        state.pointee.ruleStage.inlineBytesMax = rules?.settings.inlineBytesMax ?? 0
        state.pointee.ruleStage.keepsOrder = rules?.settings.order != RulesConfiguration.Order.none
        if let rules { prepareToEvaluate(rules) }
        if let pool, state.pointee.ruleStage.workers == nil {
            state.pointee.ruleStage.workers = pool.links(ofOwner: index)
        }
        // With workers there may be messages under way, for which others wait.
        state.pointee.settings.hasRules = rules != nil || state.pointee.ruleStage.workers != nil
    }

    private func prepareToEvaluate(_ rules: ActiveRules) {
        let current = unsafe state.pointee.ruleStage.evaluator?.takeUnretainedValue()
        if current?.limits != rules.set.limits {
            unsafe state.pointee.ruleStage.evaluator?.release()
            unsafe state.pointee.ruleStage.evaluator = unsafe .passRetained(
                RuleEvaluator(
                    limits: rules.set.limits, clock: events.clock, thread: index,
                    seed: state.pointee.random.next()))
        }
    }
}
