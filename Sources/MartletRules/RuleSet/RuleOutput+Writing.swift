extension RuleOutput {
    func add(_ step: RuleStep) {
        precondition(stepCount < Self.stepsMax)
        unsafe steps[stepCount] = step
        stepCount &+= 1
    }

    /// What was staged becomes the message's.
    func commit(_ change: RuleChange) {
        if change.subjectCount > 0 {
            precondition(change.subjectCount <= Self.subjectBytesMax)
            unsafe subject.update(from: stagedSubject, count: change.subjectCount)
            subjectCount = change.subjectCount
        }
        if change.headerCount > 0 {
            precondition(change.headerCount <= Self.headerBytesMax)
            unsafe header.update(from: stagedHeader, count: change.headerCount)
            headerCount = change.headerCount
        }
        if let part = change.slice { slice = part }
    }

    /// The message does not go on.
    func clearForward() {
        subjectCount = 0
        headerCount = 0
        slice = nil
    }

    func setBody(count: Int) {
        precondition(count <= bodyBytesMax)
        bodyCount = count
    }

    func setDeadLetter(subjectCount: Int, headerCount: Int) {
        precondition(
            subjectCount <= Self.subjectBytesMax && headerCount <= Self.headerBytesMax)
        self.subjectCount = subjectCount
        self.headerCount = headerCount
    }

    /// Of the last rule, if that has a step.
    func recordLostDeadLetter(of rule: Int) {
        guard stepCount > 0 else { return }
        if unsafe steps[stepCount &- 1].rule == rule {
            unsafe steps[stepCount &- 1].isDeadLetterLost = true
        }
    }

    var headerBytes: Bytes { unsafe Bytes(UnsafePointer(header), count: headerCount) }
    var bodyBytes: Bytes { unsafe Bytes(UnsafePointer(body), count: bodyCount) }
    var messageBytes: Bytes { unsafe Bytes(UnsafePointer(message), count: messageCount) }
}
