// Message path, step 4: a message is checked. Next: RouteMessage.swift.

import CMartletSystem
import Glibc
import Synchronization

extension BrokerLoop {
    /// A whole PUB or HPUB: `buffer` has its control line, and its payload unless that is large.
    @inline(__always)
    func publish(
        _ connection: ConnectionRef, _ buffer: Bytes, _ operation: Operation, _ payload: PayloadRef?
    ) {
        let subject = unsafe buffer.at(operation.subject)
        let count = operation.subject.length
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
        acknowledge(connection)
        let message = unsafe makeMessage(connection, buffer, operation, payload)
        let hasRule =
            state.pointee.settings.hasRules && applyRules(connection, message)
        if !hasRule { route(message, from: connection) }
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
        return unsafe permissions._withUnsafeGuaranteedRef {
            unsafe $0.allowsPublish(subject, operation.subject.length)
        }
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
    }

    @inline(__always)
    private func makeMessage(
        _ connection: ConnectionRef, _ buffer: Bytes, _ operation: Operation, _ payload: PayloadRef?
    ) -> Message {
        let contentBytes = operation.totalBytes &+ 2
        var message = unsafe Message(
            subject: buffer.at(operation.subject), subjectCount: operation.subject.length,
            head: buffer.at(operation.tail), headCount: operation.tail.length,
            lineCount: operation.tail.length, body: buffer + operation.payloadStart, bodyCount: 0,
            payload: payload, replyCount: operation.reply.length,
            headerBytes: max(0, operation.headerBytes), totalBytes: operation.totalBytes,
            publisher: connection.pointee.handle, publisherLoop: UInt16(truncatingIfNeeded: index),
            wantsNoResponders: operation.reply.count > 0
                && connection.pointee.flags.contains(.noResponders),
            excludesPublisher: !connection.pointee.flags.contains(.echo))
        if operation.hasCanonicalTail {
            // The payload stands right behind the line: one copy takes both.
            if payload == nil { message.headCount &+= contentBytes }
        } else {
            message.lineCount = unsafe writeLine(buffer, operation)
            unsafe message.head = unsafe Bytes(scratch)
            message.headCount = message.lineCount
            if payload == nil { message.bodyCount = contentBytes }
        }
        return message
    }

    /// `[reply ][header size ]size CR LF` with single spaces, into the loop's scratch.
    @inline(never)
    private func writeLine(_ buffer: Bytes, _ operation: Operation) -> Int {
        var end = 0
        func append(_ range: ByteRange) {
            unsafe memcpy(scratch + end, buffer.at(range), range.length)
            end += range.length
            unsafe scratch[end] = .space
            end += 1
        }
        if operation.reply.count > 0 { append(operation.reply) }
        if operation.headerBytes > 0 { append(operation.headerDigits) }
        append(operation.sizeDigits)
        unsafe scratch[end - 1] = .carriageReturn
        unsafe scratch[end] = .lineFeed
        return end + 1
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

    /// Status 503 to the requester: to a plain subscription of its own that takes the reply subject. It
    /// does not count towards an UNSUB maximum.
    @inline(never)
    func sendNoResponders(_ connection: ConnectionRef, _ message: Message) {
        let reply = unsafe message.head
        let route = unsafe cache.route(
            of: reply, message.replyCount, in: connection.pointee.account.space)
        for i in 0..<Int(route.pointee.plainCount) {
            let destination = unsafe route.pointee.destinations[i]
            guard destination.connection == connection.pointee.handle,
                Int(destination.loop) == index,
                destination.subscription.pointee.state.load(ordering: .relaxed)
                    & Subscription.openBit != 0
            else { continue }
            return encodeNoResponders(connection, destination.subscription, message)
        }
    }
}
