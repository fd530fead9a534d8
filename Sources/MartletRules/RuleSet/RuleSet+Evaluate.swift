extension RuleSet {
    /// Evaluates the rule `first` and, as far as rules say so, those behind it that are for the
    /// subject too. Reads `payloadCount` bytes, and those of the message; writes to scratch and
    /// output only.
    @unsafe public func evaluate(
        from first: Int, _ message: RuleMessage, payload: UnsafePointer<UInt8>, payloadCount: Int,
        origin: RuleOrigin, in scratch: inout RuleScratch, into output: RuleOutput
    ) -> RuleVerdict {
        let verdict = unsafe evaluate(
            from: first, message, payload: payload, payloadCount: payloadCount, origin: origin,
            stepsMax: .max, in: &scratch, into: output)
        guard let verdict else { preconditionFailure("nothing ends before its verdict") }
        return verdict
    }

    /// The same within so many steps of about ten instructions; nil if it would take more. Then what is in
    /// the output means nothing.
    @unsafe public func evaluate(
        from first: Int, _ message: RuleMessage, payload: UnsafePointer<UInt8>, payloadCount: Int,
        origin: RuleOrigin, stepsMax: Int, in scratch: inout RuleScratch, into output: RuleOutput
    ) -> RuleVerdict? {
        output.reset()
        scratch.restartSteps(atMost: stepsMax)
        guard first >= 0 && first < rules.count else { return RuleVerdict(.pass) }
        var run = unsafe RuleRun(
            message, payload, payloadCount: payloadCount, origin: origin, output: output,
            first: first)
        var number = first
        while number >= 0 {
            if output.stepCount == RuleOutput.stepsMax {
                let verdict = refuse(.tooManyRules, by: number, &run, &scratch)
                return scratch.isOutOfSteps ? nil : verdict
            }
            if let verdict = meet(number, &run, &scratch) {
                return scratch.isOutOfSteps ? nil : verdict
            }
            if scratch.isOutOfSteps { return nil }
            number = nextRule(after: number, for: message)
        }
        return end(run)
    }

    /// What one rule makes of the message; nil if the next one is to be tried.
    private func meet(
        _ number: Int, _ run: inout RuleRun, _ scratch: inout RuleScratch
    ) -> RuleVerdict? {
        let rule = rules[number]
        let finding = apply(rule, &run, &scratch)
        if scratch.isOutOfSteps { return nil }
        record(finding, of: rule, number, run.output)
        if case .invalid(let failure) = finding {
            if !rule.isShadow && rule.invalidAction != .pass {
                return refuse(failure, by: number, &run, &scratch)
            }
            report(failure, of: rule, run)
        }
        if rule.isShadow { return nil }
        switch finding {
        case .filtered where rule.otherwise == .next: return nil
        case .filtered where rule.otherwise == .drop:
            run.output.clearForward()
            return RuleVerdict(.drop, rule: number)
        case .replied:
            run.output.clearForward()
            return RuleVerdict(.reply, rule: number)
        case .routed: run.isChanged = true
        default: break
        }
        run.decided = number
        return rule.goesOn ? nil : end(run)
    }

    private func end(_ run: RuleRun) -> RuleVerdict {
        RuleVerdict(run.isChanged ? .forward : .pass, rule: run.decided)
    }

    private func record(
        _ finding: RuleFinding, of rule: CompiledRule, _ number: Int, _ output: RuleOutput
    ) {
        var code = 0
        let result: RuleResult
        switch finding {
        case .passed: result = .passed
        case .filtered:
            switch rule.otherwise {
            case .pass: result = .filteredPass
            case .drop: result = .filteredDrop
            case .next: result = .filteredNext
            }
        case .routed: result = .routed
        case .replied: result = .replied
        case .invalid(let failure):
            result = .invalid
            code = failure.code
        }
        output.add(
            RuleStep(
                rule: Int32(truncatingIfNeeded: number), result: result, isShadow: rule.isShadow,
                code: Int16(truncatingIfNeeded: code)))
    }

    /// The message ends: tells why, and makes a dead letter of it if the rule says where to.
    private func refuse(
        _ failure: RuleFailure, by number: Int, _ run: inout RuleRun,
        _ scratch: inout RuleScratch
    ) -> RuleVerdict {
        let rule = rules[number]
        run.output.clearForward()
        report(failure, of: rule, run)
        if let template = rule.deadLetter, !writeDeadLetter(template, of: rule, &run, &scratch) {
            run.output.clearForward()
            run.output.recordLostDeadLetter(of: number)
        }
        let drops = rule.invalidAction == .drop
        return RuleVerdict(
            drops ? .drop : .reject, rule: number, code: failure.code,
            repliesToInvalid: rule.repliesToInvalid && !drops)
    }
}
