// Message path, step 4: a message is checked. Next: RouteMessage.swift.

import Glibc

extension BrokerLoop {
    /// A whole PUB or HPUB: `buffer` has its control line, and its payload unless that is large.
    @inline(__always)
    func publish(
        _ connection: ConnectionRef, _ buffer: Bytes, _ operation: Operation, _ payload: PayloadRef?
    ) {
        let subject = unsafe buffer.at(operation.subject)
        let count = operation.subject.length
        connection.pointee.lastActivityAt = now
        connection.pointee.messagesIn &+= 1
        connection.pointee.bytesIn &+= UInt64(truncatingIfNeeded: operation.totalBytes)
        counters.pointee.messagesIn.add(1)
        counters.pointee.bytesIn.add(operation.totalBytes)
        if connection.pointee.flags.contains(.pedantic),
            unsafe !Subject.isValidForPublish(subject, count)
        {
            unsafe refusePublish(connection, "Invalid Publish Subject", nil, 0)
        }
        guard unsafe isAllowed(connection, buffer, operation) else { return }
        let message = unsafe makeMessage(connection, buffer, operation, payload)
        let hasRule =
            state.pointee.settings.hasRules && applyRules(connection, message)
        if !hasRule {
            acknowledge(connection)
            route(message)
        }
        if state.pointee.settings.hasRate { limitRate(connection, operation.totalBytes) }
    }

    /// Permissions, and subjects that are the server's own.
    @inline(__always)
    private func isAllowed(
        _ connection: ConnectionRef, _ buffer: Bytes, _ operation: Operation
    ) -> Bool {
        let subject = unsafe buffer.at(operation.subject)
        guard unsafe isAllowedSubject(connection, subject, operation.subject.length) else {
            return false
        }
        if operation.reply.count > 0 {
            let reply = unsafe buffer.at(operation.reply)
            if unsafe ReservedSubject.isSuspect(reply),
                unsafe ReservedSubject.mayNotReply(reply, operation.reply.length)
            {
                unsafe refusePublish(
                    connection, "Permissions Violation for Publish with Reply of", reply,
                    operation.reply.length)
                return false
            }
        }
        guard let permissions = unsafe connection.pointee.permissions else { return true }
        let isAllowed = unsafe permissions._withUnsafeGuaranteedRef {
            unsafe $0.allowsPublish(subject, operation.subject.length)
        }
        if !isAllowed {
            unsafe refusePublish(
                connection, "Permissions Violation for Publish to", subject,
                operation.subject.length)
        }
        return isAllowed
    }

    @inline(__always)
    func isAllowedSubject(_ connection: ConnectionRef, _ subject: Bytes, _ count: Int) -> Bool {
        guard unsafe ReservedSubject.isSuspect(subject),
            unsafe ReservedSubject.mayNotPublish(subject, count)
        else { return true }
        unsafe refusePublish(connection, "Permissions Violation for Publish to", subject, count)
        return false
    }

    @inline(never)
    private func refusePublish(
        _ connection: ConnectionRef, _ reason: StaticString, _ subject: Bytes?, _ count: Int
    ) {
        let named = unsafe subject == nil ? "" : " \"\(text(subject, count))\""
        sendError(connection, "\(reason)\(named)")
        if unsafe subject != nil {
            record(.publishRefused(subject: unsafe text(subject, count)), of: connection)
        }
    }

    @inline(__always)
    private func makeMessage(
        _ connection: ConnectionRef, _ buffer: Bytes, _ operation: Operation, _ payload: PayloadRef?
    ) -> Message {
        let line: CountedBytes
        var content = Message.Content.behindLine
        if operation.hasCanonicalTail {
            line = unsafe CountedBytes(buffer.at(operation.tail), operation.tail.length)
        } else {
            line = unsafe writeLine(buffer, operation)
            content = unsafe .elsewhere(buffer + operation.payloadStart)
        }
        if let payload { content = .shared(payload) }
        return unsafe Message(
            subject: CountedBytes(buffer.at(operation.subject), operation.subject.length),
            line: line, replyCount: operation.reply.length,
            headerBytes: max(0, operation.headerBytes), totalBytes: operation.totalBytes,
            content: content, from: Origin(connection, on: index))
    }

    /// `[reply ][header size ]size CR LF` with single spaces, in the loop's scratch.
    @inline(never)
    private func writeLine(_ buffer: Bytes, _ operation: Operation) -> CountedBytes {
        var writer = unsafe FrameWriter(scratch, capacity: Self.scratchBytes)
        func append(_ range: ByteRange) {
            unsafe writer.append(buffer.at(range), range.length)
        }
        if operation.reply.count > 0 {
            append(operation.reply)
            writer.append(" ")
        }
        if operation.headerBytes > 0 {
            append(operation.headerDigits)
            writer.append(" ")
        }
        append(operation.sizeDigits)
        writer.append("\r\n")
        return writer.written
    }

    @inline(never)
    private func limitRate(_ connection: ConnectionRef, _ byteCount: Int) {
        let settings = state.pointee.settings
        let until = connection.pointee.rate.take(
            bytes: byteCount, at: now, messagesPerSecond: settings.messagesPerSecondMax,
            bytesPerSecond: settings.bytesPerSecondMax)
        guard until > 0 else { return }
        pause(connection, .rate)
        setDeadline(.resume, until, connection)
    }
}
