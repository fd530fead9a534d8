// What rules make of a message leaves the broker.

import MartletRules

extension BrokerLoop {
    /// Carries out a verdict.
    func settle(
        _ verdict: RuleVerdict, _ outcome: RuleOutcome, _ message: Message, _ rules: ActiveRules
    ) {
        if verdict.fate != .reject, let publisher = publisher(message.origin) {
            acknowledge(publisher)
        }
        switch verdict.fate {
        case .pass: route(message)
        case .forward: forward(message, outcome)
        case .drop: break
        case .reply: answer(message, payload: outcome.body)
        case .reject: refuse(message, verdict, outcome)
        }
        guard verdict.fate == .drop || verdict.fate == .reject, !outcome.subject.isEmpty else {
            return
        }
        let isTaken = sendDeadLetter(message, outcome)
        rules.recordDeadLetter(rule: verdict.rule, thread: index, isTaken: isTaken)
    }

    /// With another subject, header block or part of the payload. A large payload that stays as it is
    /// is not copied.
    private func forward(_ message: Message, _ outcome: RuleOutcome) {
        let content = message.content
        let payload = content.dropFirst(message.headerBytes)
        let slice = outcome.slice ?? 0..<payload.count
        var parts = MessageParts(
            subject: outcome.subject.isEmpty ? message.subject : outcome.subject,
            reply: message.reply,
            header: outcome.header.isEmpty ? content.prefix(message.headerBytes) : outcome.header,
            payload: payload.dropFirst(slice.lowerBound).prefix(slice.count))
        if outcome.header.isEmpty, outcome.slice == nil { parts.shared = message.payload }
        publish(parts, from: message.origin)
    }

    /// To who asked, as a message of the broker's own.
    private func answer(
        _ message: Message, header: CountedBytes = .none, payload: CountedBytes
    ) {
        guard message.replyCount > 0 else { return }
        publish(
            MessageParts(subject: message.reply, header: header, payload: payload),
            from: message.origin.withoutFlags)
    }

    /// Who asked gets the error as an answer; who did not, or counts on an answer to everything, hears
    /// -ERR as for a subject that permissions forbid, which clients take for an error of that message alone.
    private func refuse(_ message: Message, _ verdict: RuleVerdict, _ outcome: RuleOutcome) {
        let isAsked = message.replyCount > 0
        if verdict.repliesToInvalid, isAsked { sendInvalid(message, verdict, outcome) }
        guard let publisher = publisher(message.origin),
            publisher.pointee.flags.contains(.verbose) || (verdict.repliesToInvalid && !isAsked)
        else { return }
        let subject = message.subject.prefix(min(message.subject.count, Self.errorSubjectBytesMax))
        sendError(publisher, byteCountMax: 64 + subject.count + outcome.message.count) { writer in
            writer.append("Permissions Violation for Publish to \"")
            writer.append(subject)
            writer.append("\": ")
            writer.append(outcome.message)
        }
    }

    /// Of the subject that -ERR names; a client knows what it published.
    private static let errorSubjectBytesMax = 256

    /// A service error as micro clients raise it (ADR-32).
    private func sendInvalid(_ message: Message, _ verdict: RuleVerdict, _ outcome: RuleOutcome) {
        unsafe withUnsafeTemporaryAllocation(
            of: UInt8.self, capacity: Self.errorHeaderBytesMax
        ) { room in
            let start = unsafe room.baseAddress.unsafelyUnwrapped
            var header = unsafe FrameWriter(start, capacity: Self.errorHeaderBytesMax)
            header.append("NATS/1.0\r\nNats-Service-Error-Code: ")
            header.append(verdict.code)
            header.append("\r\nNats-Service-Error: ")
            header.append(outcome.message)
            header.append("\r\n\r\n")
            answer(message, header: header.written, payload: outcome.body)
        }
    }

    /// The two fields with the longest message that an evaluation writes, and a code of 20 digits.
    private static let errorHeaderBytesMax = 128 + RuleOutput.messageBytesMax

    /// The message as it came, under the subject that its rule names for what is not valid. False when
    /// nobody has subscribed to it.
    private func sendDeadLetter(_ message: Message, _ outcome: RuleOutcome) -> Bool {
        let route = cache.route(of: outcome.subject, in: message.origin.account.space)
        guard !route.pointee.isEmpty || route.pointee.traits.contains(.unfinished) else {
            return false
        }
        publish(
            MessageParts(
                subject: outcome.subject, header: outcome.header,
                payload: message.content.dropFirst(message.headerBytes)),
            from: message.origin.withoutFlags)
        return true
    }
}
