import MartletRules

extension BrokerLoop {
    /// Whether a whole operation, whose line is in `buffer`, has to wait: for the connection's messages
    /// that are with a worker, or for room in the worker's ring. The connection is paused then, and will
    /// look again. Asked right before the operation is carried out: a payload that is still coming claims
    /// no room, and others may take what there was.
    @inline(never)
    func mustWaitForWorker(
        _ connection: ConnectionRef, _ buffer: Bytes, _ operation: Operation
    ) -> Bool {
        let hasJobs =
            connection.pointee.flags.contains(.hasJobs) && state.pointee.ruleStage.keepsOrder
        let isPublish = operation.verb == .publish || operation.verb == .publishWithHeader
        guard isPublish else { return hasJobs && waitForJobs(connection, leaving: 0) }
        let bytes = operation.totalBytes
        let isForWorker = hasJobs || goesToWorker(bytes)
        guard isForWorker || state.pointee.ruleStage.mayNeedWorkers else { return false }
        let subject = unsafe CountedBytes(buffer.at(operation.subject), operation.subject.length)
        let rule = firstRule(subject, connection)
        guard rule >= 0 else { return hasJobs && waitForJobs(connection, leaving: 0) }
        guard isForWorker || mayNeedWorker(rule, connection) else { return false }
        let jobs = connection.pointee.jobs
        if !jobs.hasRoom(forBytes: bytes) {
            return waitForJobs(connection, leaving: Int(jobs.count) / 2)
        }
        guard let worker = worker(of: connection), worker.pointee.isFull else { return false }
        state.pointee.ruleStage.workers?.waiting.append(connection.pointee.handle)
        return waitForJobs(connection, leaving: Int(jobs.count))
    }

    /// Whether a message that is small goes to a worker, or would have no place there if it had to.
    private func mayNeedWorker(_ rule: Int, _ connection: ConnectionRef) -> Bool {
        let isAnyFull = state.pointee.ruleStage.workers?.isAnyFull ?? false
        state.pointee.ruleStage.costly?.forget(at: now, isAnyWorkerFull: isAnyFull)
        return isCostly(rule) || worker(of: connection)?.pointee.isOverfull ?? false
    }

    private func waitForJobs(_ connection: ConnectionRef, leaving jobs: Int) -> Bool {
        connection.pointee.jobs.wait(untilOut: jobs)
        pause(connection, .rules)
        return true
    }

    private func worker(of connection: ConnectionRef) -> StablePointer<WorkerLink<RuleJob>>? {
        state.pointee.ruleStage.workers?.link(for: connection.pointee.id)
    }

    /// Hands a message to the connection's worker. Its bytes are copied, unless it is large: the receive
    /// buffer is needed for others meanwhile.
    func submit(_ message: Message, _ rule: Int, _ connection: ConnectionRef) {
        guard let rules = unsafe state.pointee.ruleStage.rules,
            let worker = worker(of: connection)
        else { return }
        guard let bytes = makePayload(message.copiedBytes) else {
            return refuseForLackOfMemory(connection)
        }
        let start = unsafe PayloadBuffer.bytes(bytes)
        unsafe message.copyBytes(to: start)
        let job = unsafe RuleJob(
            message: message.moved(to: start), bytes: bytes, rules: rules, rule: rule,
            clientID: connection.pointee.id)
        job.holdRules()
        if let payload = message.payload { PayloadBuffer.retain(payload) }
        connection.pointee.flags.insert(.hasJobs)
        connection.pointee.jobs.add(bytes: job.byteCount)
        worker.pointee.submit(job)
    }

    /// Goes on with messages that come back from workers.
    @inline(__always)
    func collectRuleResults() {
        if state.pointee.ruleStage.workers != nil { collectFromWorkers() }
    }

    @inline(never)
    private func collectFromWorkers() {
        guard let workers = state.pointee.ruleStage.workers else { return }
        var results = workers.results(atMostOfEach: RuleStage.resultsAtOnce)
        while let job = results.next() {
            assert(Int(job.message.origin.loop) == index, "a job comes back to its own loop")
            finish(job)
        }
        if results.hasMore { mail.wake() }
        resumeWaitingForRoom()
    }

    private func resumeWaitingForRoom() {
        guard let waiting = state.pointee.ruleStage.workers?.waiting else { return }
        for i in 0..<waiting.count {
            if let one = unsafe connection(waiting.items[i]) { goOnAfterJobs(one) }
        }
        state.pointee.ruleStage.workers?.waiting.removeFirst(waiting.count)
    }

    private func finish(_ job: RuleJob) {
        let publisher = connection(job.message.origin.connection)
        state.pointee.isShortOfMemory = false
        if job.result.isLost {
            refuseForLackOfMemory(job.message.origin)
        } else {
            unsafe job.rules._withUnsafeGuaranteedRef { rules in
                settle(job.verdict, RuleOutcome(job.result), job.message, rules)
            }
        }
        release(job)
        guard let publisher else { return }
        if state.pointee.isShortOfMemory { waitForMemory(publisher) }
        publisher.pointee.jobs.remove(bytes: job.byteCount, steps: job.steps)
        if publisher.pointee.jobs.count == 0 { publisher.pointee.flags.remove(.hasJobs) }
        goOnAfterJobs(publisher)
    }

    private func goOnAfterJobs(_ connection: ConnectionRef) {
        if connection.pointee.jobs.mayGoOn { unpause(connection, .rules) }
    }

    private func release(_ job: RuleJob) {
        PayloadBuffer.release(job.bytes, on: returns, pool: pool)
        if let payload = job.message.payload {
            PayloadBuffer.release(payload, on: returns, pool: pool)
        }
        if let buffer = job.result.buffer { PayloadBuffer.release(buffer, on: returns, pool: pool) }
        job.letGoOfRules()
    }

    /// The broker has stopped: lets go of what the workers still have.
    func discardJobs() {
        guard let workers = state.pointee.ruleStage.workers else { return }
        while let job = workers.takeLeftover() { release(job) }
    }
}
