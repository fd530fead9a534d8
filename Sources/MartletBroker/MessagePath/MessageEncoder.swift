// Message path, step 7: the frame a subscriber gets. Next: OutboundQueue.swift.

import CMartletSystem
import Glibc

/// Protocol lines that never change.
enum Line {
    static let ok: StaticString = "+OK\r\n"
    static let ping: StaticString = "PING\r\n"
    static let pong: StaticString = "PONG\r\n"
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
        let copied = 5 &+ message.subjectCount &+ sidCount &+ message.headCount &+ message.bodyCount
        let frameBytes = copied &+ (message.payload == nil ? 0 : message.totalBytes &+ 2)
        switch makeRoom(frameBytes, for: subscription, on: connection, message) {
        case .write: break
        case .dropped: return true
        case .refused: return false
        }
        let start = unsafe reserve(copied, on: connection)
        var end = unsafe start
        if hasHeader {
            unsafe end[0] = UInt8(ascii: "H")
            unsafe end += 1
        }
        unsafe UnsafeMutableRawPointer(end).storeBytes(of: 0x2047_534D, as: UInt32.self)  // "MSG "
        unsafe end += 4
        unsafe martlet_copy_slack16(end, message.subject, message.subjectCount)
        unsafe end += message.subjectCount
        unsafe martlet_copy_slack16(end, subscription.pointee.spacedSID, sidCount)
        unsafe end += sidCount
        unsafe martlet_copy_slack16(end, message.head, message.headCount)
        unsafe end += message.headCount
        if message.bodyCount > 0 {
            unsafe memcpy(end, message.body, message.bodyCount)
            unsafe end += message.bodyCount
        }
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
        let inlined = message.payload == nil ? contentBytes + 2 : 0
        let lineMax = 4 + message.subjectCount + sidCount + message.replyCount + 1 + 20 + 2
        switch makeRoom(lineMax + contentBytes + 2, for: subscription, on: connection, message) {
        case .write: break
        case .dropped: return true
        case .refused: return false
        }
        var writer = unsafe FrameWriter(reserve(lineMax + inlined, on: connection))
        writer.append("MSG ")
        unsafe writer.append(message.subject, message.subjectCount)
        unsafe writer.append(subscription.pointee.spacedSID, sidCount)
        if message.replyCount > 0 {
            unsafe writer.append(message.head, message.replyCount)
            writer.append(" ")
        }
        writer.append(contentBytes)
        writer.append("\r\n")
        if message.payload == nil {
            unsafe writer.append(message.content + message.headerBytes, inlined)
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
        _ connection: ConnectionRef, _ subscription: SubscriptionRef, _ message: Message
    ) {
        let headerBytes = 32 + message.subjectCount
        let frameBytes =
            5 + message.replyCount + Int(subscription.pointee.spacedSIDCount) + 44 + headerBytes
        guard
            connection.pointee.outbound.pendingBytes + frameBytes
                <= connection.pointee.pendingBytesMax
        else { return }
        var writer = unsafe FrameWriter(reserve(frameBytes, on: connection))
        writer.append("HMSG ")
        unsafe writer.append(message.head, message.replyCount)
        unsafe writer.append(
            subscription.pointee.spacedSID, Int(subscription.pointee.spacedSIDCount))
        writer.append(headerBytes)
        writer.append(" ")
        writer.append(headerBytes)
        writer.append("\r\nNATS/1.0 503\r\nNats-Subject: ")
        unsafe writer.append(message.subject, message.subjectCount)
        writer.append("\r\n\r\n\r\n")
        connection.pointee.outbound.commit(writer.count)
        markDirty(connection)
    }

    @inline(__always)
    private func recordDelivery(_ connection: ConnectionRef, _ byteCount: Int) {
        connection.pointee.messagesOut &+= 1
        connection.pointee.bytesOut &+= UInt64(truncatingIfNeeded: byteCount)
        counters.pointee.messagesOut.add(1)
        counters.pointee.bytesOut.add(byteCount)
        state.pointee.deliveredBytes &+= byteCount &+ 128
        markDirty(connection)
        if connection.pointee.outbound.pendingBytes > Self.earlyFlushBytes {
            flushEarly(connection)
        }
    }

    /// A protocol line for this connection.
    @inline(__always)
    func send(_ connection: ConnectionRef, _ line: StaticString) {
        var writer = unsafe FrameWriter(reserve(line.utf8CodeUnitCount, on: connection))
        writer.append(line)
        connection.pointee.outbound.commit(writer.count)
        markDirty(connection)
    }

    func send(_ connection: ConnectionRef, _ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer {
            var writer = unsafe FrameWriter(reserve($0.count, on: connection))
            unsafe writer.append($0.baseAddress!, $0.count)
            connection.pointee.outbound.commit(writer.count)
        }
        markDirty(connection)
    }

    func sendError(_ connection: ConnectionRef, _ message: String) {
        send(connection, Array("-ERR '\(message)'\r\n".utf8))
    }
}

/// Appends to room that was reserved for a whole frame.
@safe
struct FrameWriter {
    private let start: MutableBytes
    private var end: MutableBytes

    init(_ start: MutableBytes) {
        unsafe self.start = unsafe start
        unsafe end = start
    }

    var count: Int { unsafe end - start }
    /// Where the next byte goes.
    var place: Bytes { unsafe Bytes(end) }

    mutating func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        unsafe memcpy(end, bytes, count)
        unsafe end += count
    }

    mutating func append(_ text: StaticString) {
        unsafe append(text.utf8Start, text.utf8CodeUnitCount)
    }

    mutating func append(_ number: Int) {
        var digits = 1
        var bound = 10
        while number >= bound {
            digits += 1
            bound *= 10
        }
        var rest = number
        for i in stride(from: digits - 1, through: 0, by: -1) {
            unsafe end[i] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        unsafe end += digits
    }
}
