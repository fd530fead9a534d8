// Message path, beside RouteMessage.swift: messages that the broker makes, for a rule or for itself.

import MartletRules

/// What a message is made of.
struct MessageParts {
    var subject: CountedBytes
    var reply = CountedBytes.none
    var header = CountedBytes.none
    var payload: CountedBytes
    /// Header block and payload with CR LF, if they are a large message's and stay as they are.
    var shared: PayloadRef?

    var contentCount: Int { header.count + payload.count }
}

extension BrokerLoop {
    /// Puts a message together, in the loop's frame and, if it is large, in a payload buffer of its own, and
    /// routes it. Rules do not see it: only what comes from outside passes them.
    ///
    /// Subject and reply subject are valid, and together no longer than a control line and what a rule
    /// writes.
    func publish(_ parts: MessageParts, from origin: Origin) {
        precondition(
            parts.subject.count + parts.reply.count <= Self.frameNamesBytes,
            "a message's subjects are longer than the frame they are written to")
        var writer = unsafe FrameWriter(frame, capacity: Self.frameBytes)
        writer.append(parts.subject)
        let subject = writer.written
        writer.appendLine(of: parts)
        let line = writer.written.dropFirst(subject.count)
        var content = Message.Content.behindLine
        var joined: PayloadRef?
        if let shared = parts.shared {
            content = .shared(shared)
        } else if parts.contentCount < Self.largePayloadBytes {
            writer.appendContent(of: parts)
        } else {
            guard let payload = join(parts) else { return refuseForLackOfMemory(origin) }
            joined = payload
            content = .shared(payload)
        }
        route(
            Message(
                subject: subject, line: line, replyCount: parts.reply.count,
                headerBytes: parts.header.count, totalBytes: parts.contentCount, content: content,
                from: origin))
        if let joined { PayloadBuffer.release(joined, on: returns, pool: pool) }
    }

    private func join(_ parts: MessageParts) -> PayloadRef? {
        let count = parts.contentCount + 2
        guard let payload = makePayload(count) else { return nil }
        var writer = unsafe FrameWriter(PayloadBuffer.bytes(payload), capacity: count)
        writer.appendContent(of: parts)
        return payload
    }
}

extension FrameWriter {
    /// `[reply ][header size ]size CR LF`.
    fileprivate mutating func appendLine(of parts: MessageParts) {
        if !parts.reply.isEmpty {
            append(parts.reply)
            append(" ")
        }
        if !parts.header.isEmpty {
            append(parts.header.count)
            append(" ")
        }
        append(parts.contentCount)
        append("\r\n")
    }

    /// Header block, payload and CR LF.
    fileprivate mutating func appendContent(of parts: MessageParts) {
        append(parts.header)
        append(parts.payload)
        append("\r\n")
    }
}
