// Message path, step 7: the frame a subscriber gets. Next: OutboundQueue.swift.

import CMartletSystem
import Glibc

/// Protocol lines that never change.
enum Line {
    static let ok: StaticString = "+OK\r\n"
    static let ping: StaticString = "PING\r\n"
    static let pong: StaticString = "PONG\r\n"
    /// How the header of a 503 begins.
    static let noResponders: StaticString = "NATS/1.0 503\r\nNats-Subject: "
}

extension BrokerLoop {
    /// `HMSG subject sid ` or `MSG subject sid `, then the publisher's own bytes: what follows the subject
    /// in its line is what subscribers get. False when the subscriber's connection cannot take it.
    @inline(__always)
    func encode(
        _ message: Message, for subscription: SubscriptionRef, on connection: ConnectionRef
    ) -> Bool {
        let hasHeader = message.headerBytes > 0
        guard !hasHeader || connection.pointee.flags.contains(.headers) else {
            return encodeWithoutHeader(message, for: subscription, on: connection)
        }
        let sidCount = Int(subscription.pointee.spacedSIDCount)
        let copied =
            5 &+ message.subject.count &+ sidCount &+ message.head.count &+ message.body.count
        let frameBytes = copied &+ (message.payload == nil ? 0 : message.totalBytes &+ 2)
        switch makeRoom(frameBytes, for: subscription, on: connection, message) {
        case .write: break
        case .dropped: return true
        case .refused: return false
        }
        guard let start = unsafe reserve(copied, on: connection) else { return false }
        var end = unsafe start
        if hasHeader {
            unsafe end[0] = UInt8(ascii: "H")
            unsafe end += 1
        }
        unsafe UnsafeMutableRawPointer(end).storeBytes(of: 0x2047_534D, as: UInt32.self)  // "MSG "
        unsafe end += 4
        unsafe martlet_copy_slack16(end, message.subject.start, message.subject.count)
        unsafe end += message.subject.count
        unsafe martlet_copy_slack16(end, subscription.pointee.spacedSID, sidCount)
        unsafe end += sidCount
        unsafe martlet_copy_slack16(end, message.head.start, message.head.count)
        unsafe end += message.head.count
        if !message.body.isEmpty {
            unsafe memcpy(end, message.body.start, message.body.count)
            unsafe end += message.body.count
        }
        // SAFETY: `copied` bytes were reserved, one for an H that may be missing.
        assert(unsafe end - start <= copied)
        unsafe connection.pointee.outbound.commit(end - start)
        if let payload = message.payload { appendPayload(payload, from: 0, on: connection) }
        recordDelivery(connection, message.totalBytes)
        return true
    }

    /// For a client that did not ask for headers: the block is left out and the size written anew.
    @inline(never)
    private func encodeWithoutHeader(
        _ message: Message, for subscription: SubscriptionRef, on connection: ConnectionRef
    ) -> Bool {
        let contentBytes = message.totalBytes - message.headerBytes
        let sidCount = Int(subscription.pointee.spacedSIDCount)
        let lineMax = 4 + message.subject.count + sidCount + message.replyCount + 1 + 20 + 2
        switch makeRoom(lineMax + contentBytes + 2, for: subscription, on: connection, message) {
        case .write: break
        case .dropped: return true
        case .refused: return false
        }
        let copied = lineMax + (message.payload == nil ? contentBytes + 2 : 0)
        guard let room = unsafe reserve(copied, on: connection) else { return false }
        var writer = unsafe FrameWriter(room, capacity: copied)
        writer.append("MSG ")
        writer.append(message.subject)
        unsafe writer.append(subscription.pointee.spacedSID, sidCount)
        if message.replyCount > 0 {
            writer.append(message.reply)
            writer.append(" ")
        }
        writer.append(contentBytes)
        writer.append("\r\n")
        if message.payload == nil {
            writer.append(message.content.dropFirst(message.headerBytes))
            writer.append("\r\n")
        }
        connection.pointee.outbound.commit(writer.count)
        if let payload = message.payload {
            appendPayload(payload, from: message.headerBytes, on: connection)
        }
        recordDelivery(connection, contentBytes)
        return true
    }

    /// `HMSG reply sid N N`, a header block with status 503 and the subject, no payload.
    func encodeNoResponders(
        _ subject: CountedBytes, _ reply: CountedBytes, for subscription: SubscriptionRef,
        on connection: ConnectionRef
    ) {
        let headerBytes = 32 + subject.count
        let frameBytes =
            5 + reply.count + Int(subscription.pointee.spacedSIDCount) + 44 + headerBytes
        guard let room = unsafe reserve(frameBytes, on: connection) else { return }
        var writer = unsafe FrameWriter(room, capacity: frameBytes)
        writer.append("HMSG ")
        writer.append(reply)
        unsafe writer.append(
            subscription.pointee.spacedSID, Int(subscription.pointee.spacedSIDCount))
        writer.append(headerBytes)
        writer.append(" ")
        writer.append(headerBytes)
        writer.append("\r\n")
        writer.append(Line.noResponders)
        writer.append(subject)
        writer.append("\r\n\r\n\r\n")
        connection.pointee.outbound.commit(writer.count)
        recordLine(connection)
        if connection.pointee.flags.contains(.isTraced) {
            traceNoResponders(reply, headerBytes, for: subscription, on: connection)
        }
    }

    @inline(__always)
    func recordDelivery(_ connection: ConnectionRef, _ byteCount: Int) {
        connection.pointee.messagesOut &+= 1
        connection.pointee.bytesOut &+= UInt64(truncatingIfNeeded: byteCount)
        connection.pointee.lastActivityAt = now
        counters.pointee.messagesOut.add(1)
        counters.pointee.bytesOut.add(byteCount)
        work.pointee.add(byteCount &+ SliceWork.delivery)
        markDirty(connection)
        if connection.pointee.outbound.pendingBytes > Self.earlyFlushBytes {
            flushEarly(connection)
        }
    }

    /// It was thrown away before it was sent.
    func takeBackDelivery(_ connection: ConnectionRef, _ byteCount: Int) {
        connection.pointee.messagesOut &-= 1
        connection.pointee.bytesOut &-= UInt64(truncatingIfNeeded: byteCount)
        counters.pointee.messagesOut.add(-1)
        counters.pointee.bytesOut.add(-byteCount)
    }

    /// A protocol line for this connection.
    @inline(__always)
    func send(_ connection: ConnectionRef, _ line: StaticString) {
        let count = line.utf8CodeUnitCount
        guard let room = unsafe reserve(count, on: connection) else { return }
        var writer = unsafe FrameWriter(room, capacity: count)
        writer.append(line)
        connection.pointee.outbound.commit(writer.count)
        recordLine(connection)
        if connection.pointee.flags.contains(.isTraced) { traceSent(connection, line: line) }
    }

    func send(_ connection: ConnectionRef, _ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer {
            guard let room = unsafe reserve($0.count, on: connection) else { return }
            var writer = unsafe FrameWriter(room, capacity: $0.count)
            unsafe writer.append($0.baseAddress!, $0.count)
            connection.pointee.outbound.commit(writer.count)
        }
        recordLine(connection)
    }

    /// What the broker answers counts towards `max_pending` as messages do.
    @inline(__always)
    private func recordLine(_ connection: ConnectionRef) {
        markDirty(connection)
        if connection.pointee.outbound.pendingBytes > connection.pointee.pendingBytesMax {
            closeIfStuck(connection)
        }
    }

    func sendError(_ connection: ConnectionRef, _ message: String) {
        if connection.pointee.flags.contains(.isTraced) {
            traceSent(connection, "-ERR", message)
        }
        send(connection, Array("-ERR '\(message)'\r\n".utf8))
    }

    /// The same without allocating, for what a client may cause often: `write` puts `byteCountMax` bytes at
    /// most between the quotes.
    func sendError(
        _ connection: ConnectionRef, byteCountMax: Int, _ write: (inout FrameWriter) -> Void
    ) {
        let capacity = byteCountMax + 9
        guard let room = unsafe reserve(capacity, on: connection) else { return }
        var writer = unsafe FrameWriter(room, capacity: capacity)
        writer.append("-ERR '")
        write(&writer)
        writer.append("'\r\n")
        if connection.pointee.flags.contains(.isTraced) {
            traceSent(connection, error: writer.written)
        }
        connection.pointee.outbound.commit(writer.count)
        recordLine(connection)
    }
}
