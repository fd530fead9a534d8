extension RuleSet {
    /// Validates, asks `when`, and does what the rule says; nothing of it if any part fails. Where the
    /// scratch is out of steps, what it says means nothing.
    func apply(
        _ rule: CompiledRule, _ run: inout RuleRun, _ scratch: inout RuleScratch
    ) -> RuleFinding {
        let slots = unsafe UnsafePointer(scratch.slots.start)
        guard rule.needsDocument else {
            return unsafe change(rule, run, slots, scratch) ?? .passed
        }
        if run.payloadCount > limits.payloadBytesMax {
            let failure = JSONFailure(.payloadTooLarge, limits.payloadBytesMax)
            return passesOversize ? .passed : .invalid(.payload(failure))
        }
        let document: JSONDocument
        switch run.document(&scratch) {
        case .failure(let failure): return .invalid(.payload(failure))
        case .document(let scanned): document = scanned
        }
        if let failure = validate(document, rule, scratch) { return .invalid(failure) }
        find(rule, in: document, scratch)
        if scratch.isOutOfSteps { return .passed }
        switch holds(document, rule, scratch) {
        case .holds: break
        case .fails: return .filtered
        case .tooComplex: return .invalid(.tooComplex)
        case .numberTooLong(let offset):
            return .invalid(.payload(JSONFailure(.numberTooLong, offset)))
        }
        if let reply = rule.reply {
            return unsafe answer(reply, document, slots, run.output)
                ? .replied : .invalid(.replyTooLarge)
        }
        return unsafe change(rule, run, slots, scratch) ?? .passed
    }

    /// Finds the values of a rule's pointers.
    func find(
        _ rule: CompiledRule, in document: JSONDocument, _ scratch: borrowing RuleScratch
    ) {
        guard let tree = rule.tree else { return }
        scratch.spend(tree.use { $0.steps(document) })
        if scratch.isOutOfSteps { return }
        tree.use { unsafe $0.find(in: document, into: scratch.slots.start) }
    }

    /// Counts what it takes to read the header block so often; false if that is more than may be.
    func mayReadHeader(
        _ run: RuleRun, times: Int32, _ scratch: borrowing RuleScratch
    ) -> Bool {
        let bytes = max(run.message.header.count, run.output.headerCount)
        scratch.spend((bytes &* Int(times)) &>> 2)
        return !scratch.isOutOfSteps
    }

    private func validate(
        _ document: JSONDocument, _ rule: CompiledRule, _ scratch: borrowing RuleScratch
    ) -> RuleFailure? {
        guard let schema = rule.schema else { return nil }
        switch schema.use({ $0.validate(document, in: scratch) }) {
        case .valid: return nil
        case .numberTooLong(let offset): return .payload(JSONFailure(.numberTooLong, offset))
        case .violation(let violation): return .violation(violation)
        case .tooComplex: return .tooComplex
        }
    }

    private func holds(
        _ document: JSONDocument, _ rule: CompiledRule, _ scratch: borrowing RuleScratch
    ) -> ConditionOutcome {
        guard let condition = rule.condition else { return .holds }
        return condition.use {
            unsafe $0.holds(for: document, UnsafePointer(scratch.slots.start), in: scratch)
        }
    }

    @unsafe private func answer(
        _ reply: Kept<PickedReply>, _ document: JSONDocument, _ slots: UnsafePointer<JSONSlot>,
        _ output: RuleOutput
    ) -> Bool {
        let count = reply.use {
            unsafe $0.write(
                document, slots, into: output.body, capacity: output.bodyBytesMax)
        }
        output.setBody(count: count ?? 0)
        return count != nil
    }

    /// Subject, header block and payload, each only if the rule changes it; nil if it changes none.
    @unsafe private func change(
        _ rule: CompiledRule, _ run: RuleRun, _ slots: UnsafePointer<JSONSlot>,
        _ scratch: borrowing RuleScratch
    ) -> RuleFinding? {
        if rule.destinationCount == 0 && rule.fieldCount == 0 && rule.payloadSlot < 0 { return nil }
        guard mayReadHeader(run, times: rule.headerReads, scratch) else { return nil }
        var change = RuleChange()
        if rule.destinationCount > 0 {
            switch destination(of: rule, run).use({
                unsafe $0.render(
                    run.message, run.document, slots, into: run.output.stagedSubject,
                    capacity: RuleOutput.subjectBytesMax)
            }) {
            case .rendered(let count): change.subjectCount = count
            case .failure(let failure): return .invalid(.destination(failure))
            }
        }
        if rule.payloadSlot >= 0 {
            let slot = unsafe slots[Int(rule.payloadSlot)]
            guard slot.isPresent else { return .invalid(.missingPart) }
            let slice = slot.slice
            change.slice = slice.offset..<slice.offset &+ slice.length
        }
        if rule.fieldCount > 0 {
            switch unsafe stageHeader(rule, run, slots) {
            case .success(let count): change.headerCount = count
            case .failure(let failure): return .invalid(failure)
            }
        }
        if !rule.isShadow { run.output.commit(change) }
        return .routed
    }

    private func destination(of rule: CompiledRule, _ run: RuleRun) -> Kept<Template> {
        let all = rule.destinations
        let sum = UInt64(destinations[all.upperBound &- 1].weightEnd)
        let chosen = UInt32(truncatingIfNeeded: run.origin.random % sum)
        var index = all.lowerBound
        while destinations[index].weightEnd <= chosen { index &+= 1 }
        return destinations[index].template
    }

    /// The block as the rules before left it, with this rule's fields in the place of any that have
    /// their names.
    @unsafe private func stageHeader(
        _ rule: CompiledRule, _ run: RuleRun, _ slots: UnsafePointer<JSONSlot>
    ) -> StagedHeader {
        let output = run.output
        var writer = unsafe ByteWriter(
            output.stagedHeader, capacity: RuleOutput.headerBytesMax)
        let before = output.headerCount > 0 ? output.headerBytes : run.message.header
        HeaderBlock(names: fieldNames, range: rule.fields, text: textBytes)
            .write(before, to: &writer)
        for field in rule.fields {
            let name = fieldNames[field]
            writer.write(textBytes, Int(name.offset), length: Int(name.length))
            writer.write(": ")
            var failure: TemplateFailure?
            unsafe writer.write(filledBy: { buffer, capacity in
                let outcome = fieldTemplates[field].use {
                    unsafe $0.render(
                        run.message, run.document, slots, into: buffer, capacity: capacity)
                }
                if case .rendered(let count) = outcome { return count }
                if case .failure(let reason) = outcome { failure = reason }
                return nil
            })
            // What does not fit, does not fit into the block.
            if let failure, failure != .noRoom { return .failure(.field(field, failure)) }
            writer.write("\r\n")
        }
        writer.write("\r\n")
        return writer.isFull ? .failure(.headerTooLarge) : .success(writer.count)
    }
}

/// What a rule does to a message; counts of 0 are no change.
struct RuleChange {
    var subjectCount = 0
    var headerCount = 0
    var slice: Range<Int>?
}

private enum StagedHeader {
    case success(Int)
    case failure(RuleFailure)
}
