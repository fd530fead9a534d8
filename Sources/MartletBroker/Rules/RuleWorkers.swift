import MartletRules

/// A loop's way to one worker and back.
///
/// SAFETY: the pool, to which `RuleStage` holds a reference, keeps rings and wakeup alive.
@safe
struct WorkerLink: BitwiseCopyable {
    let jobs: StablePointer<JobRing<RuleJob>>
    let results: StablePointer<JobRing<RuleJob>>
    let wakeup: Unmanaged<ThreadWakeup>
    /// Messages of this loop that the worker has.
    var jobsOut = 0
}

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
        guard hasJobs || goesToWorker(bytes) else { return false }
        let subject = unsafe CountedBytes(buffer.at(operation.subject), operation.subject.length)
        guard firstRule(subject, connection) >= 0 else {
            return hasJobs && waitForJobs(connection, leaving: 0)
        }
        let jobs = Int(connection.pointee.jobs)
        if jobs >= RuleStage.jobsPerConnection
            || jobs > 0 && connection.pointee.jobBytes + bytes > RuleStage.jobBytesPerConnection
        {
            return waitForJobs(connection, leaving: jobs / 2)
        }
        guard let worker = worker(of: connection),
            worker.pointee.jobsOut >= state.pointee.ruleStage.jobsOutMax
        else { return false }
        state.pointee.ruleStage.waiting.append(connection.pointee.handle)
        return waitForJobs(connection, leaving: jobs)
    }

    private func waitForJobs(_ connection: ConnectionRef, leaving jobs: Int) -> Bool {
        connection.pointee.jobsToGoOnAt = UInt16(truncatingIfNeeded: jobs)
        pause(connection, .rules)
        return true
    }

    /// Always the same one, so that its messages keep their order.
    private func worker(of connection: ConnectionRef) -> StablePointer<WorkerLink>? {
        guard let workers = unsafe state.pointee.ruleStage.workers else { return nil }
        let count = UInt64(state.pointee.ruleStage.workerCount)
        return unsafe StablePointer(
            workers + Int(truncatingIfNeeded: connection.pointee.id % count))
    }

    /// Hands a message to the connection's worker. Its bytes are copied, unless it is large: the receive
    /// buffer is needed for others meanwhile.
    func submit(_ message: Message, _ rule: Int, _ connection: ConnectionRef) {
        guard let rules = unsafe state.pointee.ruleStage.rules,
            let worker = worker(of: connection)
        else { return }
        let count = message.copiedBytes
        returns.collect(into: pool)
        let bytes =
            PayloadBuffer.make(count, pool: pool, owner: returns) ?? shedAndMakePayload(count)
        let start = unsafe PayloadBuffer.bytes(bytes)
        unsafe message.copyBytes(to: start)
        let job = unsafe RuleJob(
            message: message.moved(to: start), bytes: bytes, rules: rules, rule: rule,
            clientID: connection.pointee.id)
        job.holdRules()
        if let payload = message.payload { PayloadBuffer.retain(payload) }
        connection.pointee.flags.insert(.hasJobs)
        connection.pointee.jobs &+= 1
        connection.pointee.jobBytes &+= job.byteCount
        worker.pointee.jobsOut += 1
        let isTaken = worker.pointee.jobs.pointee.push(job)
        precondition(isTaken, "a worker's ring holds as many jobs as may be out")
        unsafe worker.pointee.wakeup._withUnsafeGuaranteedRef { $0.wake() }
    }

    /// Goes on with messages that come back from workers.
    @inline(__always)
    func collectRuleResults() {
        if unsafe state.pointee.ruleStage.workers != nil { collectFromWorkers() }
    }

    @inline(never)
    private func collectFromWorkers() {
        guard let workers = unsafe state.pointee.ruleStage.workers else { return }
        for index in 0..<state.pointee.ruleStage.workerCount {
            let worker = unsafe StablePointer(workers + index)
            var count = 0
            while count < RuleStage.resultsAtOnce, let job = worker.pointee.results.pointee.pop() {
                assert(Int(job.message.origin.loop) == self.index && worker.pointee.jobsOut > 0)
                worker.pointee.jobsOut -= 1
                finish(job)
                count += 1
            }
            if count == RuleStage.resultsAtOnce { mail.wake() }
        }
        let count = state.pointee.ruleStage.waiting.count
        for i in 0..<count {
            if let one = unsafe connection(state.pointee.ruleStage.waiting.items[i]) {
                goOnAfterJobs(one)
            }
        }
        state.pointee.ruleStage.waiting.removeFirst(count)
    }

    private func finish(_ job: RuleJob) {
        let publisher = connection(job.message.origin.connection)
        state.pointee.isShortOfMemory = false
        unsafe job.rules._withUnsafeGuaranteedRef { rules in
            settle(
                job.verdict, RuleOutcome(job.result), job.message, rules)
        }
        release(job)
        guard let publisher else { return }
        if state.pointee.isShortOfMemory { waitForMemory(publisher) }
        publisher.pointee.jobs &-= 1
        publisher.pointee.jobBytes &-= job.byteCount
        if publisher.pointee.jobs == 0 { publisher.pointee.flags.remove(.hasJobs) }
        goOnAfterJobs(publisher)
    }

    private func goOnAfterJobs(_ connection: ConnectionRef) {
        if connection.pointee.jobs <= connection.pointee.jobsToGoOnAt {
            unpause(connection, .rules)
        }
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
        guard let workers = unsafe state.pointee.ruleStage.workers else { return }
        for index in 0..<state.pointee.ruleStage.workerCount {
            while let job = unsafe workers[index].jobs.pointee.pop() { release(job) }
            while let job = unsafe workers[index].results.pointee.pop() { release(job) }
        }
    }
}
