import MartletRules

/// What a thread evaluates rules with: memory of its own, made once.
///
/// SAFETY: one thread.
@safe
final class RuleEvaluator {
    let output: RuleOutput
    /// Behind pointers, because the compiler then needs no exclusivity checks for each message.
    private let scratch: StablePointer<RuleScratch>
    private let random: StablePointer<RandomSource>
    private let clock: Clock
    /// Which of the counters of a set are this thread's.
    private let thread: Int

    init(limits: JSONLimits, clock: Clock, thread: Int, seed: UInt64) {
        output = RuleOutput(limits: limits)
        scratch = StablePointer(allocating: RuleScratch(limits: limits))
        random = StablePointer(allocating: RandomSource(seed: seed))
        self.clock = clock
        self.thread = thread
    }

    deinit {
        output.destroy()
        scratch.destroy()
        random.destroy()
    }

    /// The limits that it was made for.
    var limits: JSONLimits { scratch.pointee.limits }

    /// What the last evaluation took, in steps of about ten instructions.
    var stepsSpent: Int { scratch.pointee.stepsSpent }

    /// Evaluates and counts. `content` is header block and payload. nil if it would take more steps than
    /// it may: then nothing is counted.
    func evaluate(
        _ message: Message, from rule: Int, of rules: ActiveRules, clientID: UInt64, stepsMax: Int
    ) -> RuleVerdict? {
        let started = clock.now()
        let content = message.content
        let payload = content.dropFirst(message.headerBytes)
        let subject = unsafe RuleMessage(
            subject: message.subject.start, subjectCount: message.subject.count,
            header: content.start, headerCount: message.headerBytes)
        let origin = RuleOrigin(
            clientID: clientID, unixNanoseconds: Int64(clamping: Clock.wallNanoseconds()),
            random: random.pointee.next())
        let verdict = unsafe rules.set.evaluate(
            from: rule, subject, payload: payload.start, payloadCount: payload.count,
            origin: origin, stepsMax: stepsMax, in: &scratch.pointee, into: output)
        guard let verdict else { return nil }
        let ended = clock.now()
        rules.record(
            output, thread: thread, first: rule, bytes: payload.count,
            nanoseconds: ended &- started)
        if verdict.code != 0, rules.failures.isDue(at: ended) {
            record(verdict, origin, message, in: rules.failures)
        }
        return verdict
    }

    @inline(never)
    private func record(
        _ verdict: RuleVerdict, _ origin: RuleOrigin, _ message: Message, in failures: RuleFailures
    ) {
        failures.record(
            RuleFailures.Failure(
                unixNanoseconds: origin.unixNanoseconds, clientID: origin.clientID,
                subject: text(message.subject.prefix(min(message.subject.count, 256))),
                code: verdict.code, path: output.failurePath, offset: output.failureOffset,
                message: unsafe text(output.message, output.messageCount)),
            rule: verdict.rule)
    }
}
