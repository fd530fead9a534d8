// What rules make of a message leaves the broker.

import Glibc
import MartletRules

extension BrokerLoop {
    /// Carries out a verdict.
    func settle(
        _ verdict: RuleVerdict, _ product: RuleOutcome, _ message: Message, _ rules: ActiveRules,
        _ publisher: ConnectionRef
    ) {
        switch verdict.fate {
        case .pass: route(message, from: publisher)
        case .forward: forward(message, product, from: publisher)
        case .drop: break
        case .reply:
            if message.replyCount > 0 {
                unsafe answer(
                    message, nil, 0, product.body, product.bodyCount, from: publisher)
            }
        case .reject:
            if verdict.repliesToInvalid { sendInvalid(message, verdict, product, publisher) }
        }
        guard verdict.fate == .drop || verdict.fate == .reject, product.subjectCount > 0 else {
            return
        }
        let isTaken = sendDeadLetter(message, product, from: publisher)
        rules.recordDeadLetter(rule: verdict.rule, thread: index, isTaken: isTaken)
    }

    /// A message finds its subscribers, or its publisher hears that there are none.
    @inline(__always)
    func route(_ message: Message, from publisher: ConnectionRef) {
        let route = unsafe cache.route(
            of: message.subject, message.subjectCount,
            in: publisher.pointee.space.unsafelyUnwrapped)
        let wasDelivered =
            !route.pointee.isEmpty && deliver(message, along: route.pointee, from: publisher)
        if !wasDelivered, message.wantsNoResponders { sendNoResponders(publisher, message) }
    }

    /// With another subject, header block or part of the payload. A large payload that stays as it is
    /// is not copied.
    private func forward(
        _ message: Message, _ product: RuleOutcome, from publisher: ConnectionRef
    ) {
        let isRenamed = product.subjectCount > 0
        let content = unsafe message.content
        let isSame = product.headerCount == 0 && product.slice == nil
        let slice = product.slice ?? 0..<(message.totalBytes - message.headerBytes)
        var parts = unsafe MessageParts(
            subject: isRenamed ? product.subject : message.subject,
            subjectCount: isRenamed ? product.subjectCount : message.subjectCount,
            reply: message.head, replyCount: message.replyCount,
            header: product.headerCount > 0 ? product.header : content,
            headerCount: product.headerCount > 0 ? product.headerCount : message.headerBytes,
            payload: content + message.headerBytes + slice.lowerBound, payloadCount: slice.count)
        if isSame { parts.shared = message.payload }
        send(parts, like: message, from: publisher)
    }

    /// To who asked, as a message of the broker's own.
    private func answer(
        _ message: Message, _ header: Bytes?, _ headerCount: Int, _ payload: Bytes,
        _ payloadCount: Int, from publisher: ConnectionRef
    ) {
        let parts = unsafe MessageParts(
            subject: message.head, subjectCount: message.replyCount, reply: payload, replyCount: 0,
            header: header ?? payload, headerCount: headerCount, payload: payload,
            payloadCount: payloadCount)
        var like = message
        like.wantsNoResponders = false
        like.excludesPublisher = false
        send(parts, like: like, from: publisher)
    }

    /// A service error as micro clients raise it (ADR-32); without a reply subject, what pedantic
    /// clients hear.
    private func sendInvalid(
        _ message: Message, _ verdict: RuleVerdict, _ product: RuleOutcome,
        _ publisher: ConnectionRef
    ) {
        guard message.replyCount > 0 else {
            if publisher.pointee.flags.contains(.pedantic) { sendRuleViolation(publisher, product) }
            return
        }
        unsafe withUnsafeTemporaryAllocation(
            of: UInt8.self, capacity: Self.errorHeaderBytesMax
        ) { room in
            let start = unsafe room.baseAddress.unsafelyUnwrapped
            var header = unsafe FrameWriter(start)
            header.append("NATS/1.0\r\nNats-Service-Error-Code: ")
            header.append(verdict.code)
            header.append("\r\nNats-Service-Error: ")
            unsafe header.append(product.message, product.messageCount)
            header.append("\r\n\r\n")
            unsafe answer(
                message, start, header.count, product.body, product.bodyCount, from: publisher)
        }
    }

    /// The two fields with the longest message that an evaluation writes, and a code of 20 digits.
    private static let errorHeaderBytesMax = 128 + RuleOutput.messageBytesMax

    @inline(never)
    private func sendRuleViolation(_ publisher: ConnectionRef, _ product: RuleOutcome) {
        sendError(
            publisher, unsafe "Rule Violation: \(text(product.message, product.messageCount))")
    }

    /// The message as it came, under the subject that its rule names for what is not valid. False when
    /// nobody has subscribed to it.
    private func sendDeadLetter(
        _ message: Message, _ product: RuleOutcome, from publisher: ConnectionRef
    ) -> Bool {
        let route = unsafe cache.route(
            of: product.subject, product.subjectCount,
            in: publisher.pointee.space.unsafelyUnwrapped)
        guard !route.pointee.isEmpty else { return false }
        let parts = unsafe MessageParts(
            subject: product.subject, subjectCount: product.subjectCount, reply: message.head,
            replyCount: 0, header: product.header, headerCount: product.headerCount,
            payload: message.content + message.headerBytes,
            payloadCount: message.totalBytes - message.headerBytes)
        var like = message
        like.wantsNoResponders = false
        like.excludesPublisher = false
        send(parts, like: like, from: publisher)
        return true
    }
}

/// What a message is composed of.
@safe
struct MessageParts {
    var subject: Bytes
    var subjectCount: Int
    var reply: Bytes
    var replyCount: Int
    var header: Bytes
    var headerCount: Int
    var payload: Bytes
    var payloadCount: Int
    /// Header block and payload, if they are a large message's and stay as they are.
    var shared: PayloadRef?
}

extension BrokerLoop {
    /// Puts a message together, in the loop's frame and, if it is large, in a payload buffer of its own,
    /// and sends it.
    private func send(
        _ parts: MessageParts, like origin: Message, from publisher: ConnectionRef
    ) {
        let total = parts.headerCount + parts.payloadCount
        var writer = unsafe FrameWriter(frame)
        unsafe writer.append(parts.subject, parts.subjectCount)
        let head = unsafe writer.place
        if parts.replyCount > 0 {
            unsafe writer.append(parts.reply, parts.replyCount)
            writer.append(" ")
        }
        if parts.headerCount > 0 {
            writer.append(parts.headerCount)
            writer.append(" ")
        }
        writer.append(total)
        writer.append("\r\n")
        let lineCount = unsafe writer.place - head
        var payload: PayloadRef?
        if total < Self.largePayloadBytes {
            writer.appendContent(of: parts)
        } else {
            payload = parts.shared ?? joined(parts)
        }
        let message = unsafe Message(
            subject: Bytes(frame), subjectCount: parts.subjectCount, head: Bytes(head),
            headCount: writer.place - head, lineCount: lineCount, body: writer.place, bodyCount: 0,
            payload: payload, replyCount: parts.replyCount, headerBytes: parts.headerCount,
            totalBytes: total, publisher: origin.publisher, publisherLoop: origin.publisherLoop,
            wantsNoResponders: origin.wantsNoResponders,
            excludesPublisher: origin.excludesPublisher)
        route(message, from: publisher)
        if let payload, parts.shared == nil {
            PayloadBuffer.release(payload, on: returns, pool: pool)
        }
    }

    private func joined(_ parts: MessageParts) -> PayloadRef {
        let total = parts.headerCount + parts.payloadCount
        returns.collect(into: pool)
        let payload =
            PayloadBuffer.make(total + 2, pool: pool, owner: returns)
            ?? shedAndMakePayload(total + 2)
        var writer = unsafe FrameWriter(PayloadBuffer.bytes(payload))
        writer.appendContent(of: parts)
        return payload
    }
}

extension FrameWriter {
    /// Header block, payload and CR LF.
    fileprivate mutating func appendContent(of parts: MessageParts) {
        unsafe append(parts.header, parts.headerCount)
        unsafe append(parts.payload, parts.payloadCount)
        append("\r\n")
    }
}
