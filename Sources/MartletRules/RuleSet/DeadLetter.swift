/// What the header block of a dead letter tells of the message, which it carries as it came.
enum DeadLetter {
    static let fieldNames = [
        "X-Dead-Reason", "X-Dead-Rule", "X-Dead-Path", "X-Dead-Subject", "X-Dead-Time",
        "X-Dead-Client",
    ]
}

extension RuleSet {
    /// Writes the subject and the header block of a dead letter; false if they cannot be made.
    func writeDeadLetter(
        _ template: Kept<Template>, of rule: CompiledRule, _ run: inout RuleRun,
        _ scratch: inout RuleScratch
    ) -> Bool {
        guard mayReadHeader(run, times: rule.deadLetterReads, scratch) else { return false }
        // What failed may not have needed the payload, or it may not be JSON.
        if template.use({ $0.usesPayload }), case .document(let document) = run.document(&scratch) {
            find(rule, in: document, scratch)
        }
        if scratch.isOutOfSteps { return false }
        let output = run.output
        let outcome = template.use {
            unsafe $0.render(
                run.message, run.document, UnsafePointer(scratch.slots.start),
                into: output.subject, capacity: RuleOutput.subjectBytesMax)
        }
        guard case .rendered(let subjectCount) = outcome else { return false }
        var writer = unsafe ByteWriter(output.header, capacity: RuleOutput.headerBytesMax)
        // Fields that a sender set are not taken for ours.
        HeaderBlock(names: fieldNames, range: deadLetterFields, text: textBytes)
            .write(run.message.header, to: &writer)
        writeFields(of: rule, run, to: &writer)
        if writer.isFull { return false }
        output.setDeadLetter(subjectCount: subjectCount, headerCount: writer.count)
        return true
    }

    private func writeFields(
        of rule: CompiledRule, _ run: RuleRun, to writer: inout ByteWriter
    ) {
        let output = run.output
        writer.write("X-Dead-Reason: ")
        writer.write(output.messageBytes, 0, length: output.messageCount)
        writer.write("\r\nX-Dead-Rule: ")
        write(rule.name, to: &writer)
        if let path = output.path, !path.isEmpty {
            writer.write("\r\nX-Dead-Path: ")
            writer.write(line: output.bodyBytes, path.lowerBound, length: path.count)
        }
        writer.write("\r\nX-Dead-Subject: ")
        writer.write(line: run.message.subject, 0, length: run.message.subject.count)
        writer.write("\r\nX-Dead-Time: ")
        UTCTime(unixNanoseconds: run.origin.unixNanoseconds).write(to: &writer)
        writer.write("\r\nX-Dead-Client: ")
        writer.write(decimal: Int(clamping: run.origin.clientID))
        writer.write("\r\n\r\n")
    }
}
