import Glibc

@testable import MartletBroker

/// Feeds bytes to the parser as a connection's reads would, and writes down what it found.
struct ParserBench {
    var controlLineBytesMax = 4_096
    var payloadBytesMax = 1_048_576
    var largePayloadBytes = 16 << 10
    var headers = true
    /// The operations of all bytes, one line each; each chunk is one read.
    func events(_ chunks: [[UInt8]]) -> [String] {
        var parser = Parser(
            controlLineBytesMax: controlLineBytesMax, payloadBytesMax: payloadBytesMax,
            largePayloadBytes: largePayloadBytes)
        var events: [String] = []
        var kept: [UInt8] = []
        // Of a large payload: what it has so far, and how much it needs.
        var large: (line: String, bytes: [UInt8], count: Int)?
        for chunk in chunks {
            var rest = chunk[...]
            if large != nil {
                let part = rest.prefix(large!.count - large!.bytes.count)
                large!.bytes += part
                rest = rest.dropFirst(part.count)
                guard large!.bytes.count == large!.count else { continue }
                events.append(large!.line + large!.bytes.asText)
                large = nil
            }
            let input = kept + rest
            kept = []
            // Exactly the slack that is promised, so that a sanitizer sees every byte too far.
            let buffer = MutableBytes.allocate(capacity: input.count + Parser.slack)
            defer { buffer.deallocate() }
            buffer.update(from: input, count: input.count)
            (buffer + input.count).initialize(repeating: 0x20, count: Parser.slack)
            var operation = Operation()
            var position = 0
            while position < input.count {
                let usual = PublishFastPath(
                    buffer + position, input.count - position,
                    payloadBytesMax: min(payloadBytesMax, largePayloadBytes - 1))
                let status = parser.next(
                    buffer, from: position, to: input.count, headers: headers, into: &operation)
                if let usual, controlLineBytesMax >= PublishFastPath.argumentBytesMax {
                    guard case .complete = status, usual.agrees(with: operation, at: position)
                    else { return events + ["the usual way finds \(usual)"] }
                }
                switch status {
                case .complete:
                    events.append(Self.describe(operation, buffer))
                    position = operation.end
                case .largePayload:
                    let bytes = array(
                        buffer + operation.payloadStart,
                        min(operation.totalBytes + 2, input.count - operation.payloadStart))
                    let line = Self.describe(operation, buffer)
                    position = operation.payloadStart + bytes.count
                    if bytes.count == operation.totalBytes + 2 {
                        events.append(line + bytes.asText)
                    } else {
                        large = (line, bytes, operation.totalBytes + 2)
                    }
                case .incomplete:
                    let start = parser.compactedStart(buffer, to: input.count)
                    precondition(
                        start >= position && start <= input.count, "keeps what is not there")
                    kept = array(buffer + start, input.count - start)
                    position = input.count
                case .violation(let violation):
                    return events + ["violation \(violation)"]
                }
            }
        }
        if !kept.isEmpty { events.append("kept \(kept.count)") }
        if let large { events.append("large \(large.bytes.count) of \(large.count)") }
        return events
    }

    func events(_ text: String) -> [String] { events([Array(text.utf8)]) }

    /// The same without what is kept at the end, which depends on how the bytes were cut.
    func operations(_ chunks: [[UInt8]]) -> [String] {
        events(chunks).filter { !$0.hasPrefix("kept") && !$0.hasPrefix("large ") }
    }

    private static func describe(_ operation: Operation, _ buffer: MutableBytes) -> String {
        func part(_ range: ByteRange) -> String { text(buffer.at(range), range.length) }
        switch operation.verb {
        case .publish, .publishWithHeader:
            var line = "\(operation.verb) \(part(operation.subject)) reply=\(part(operation.reply))"
            line += " \(operation.headerBytes)/\(operation.totalBytes)"
            line += " [\(part(operation.headerDigits)) \(part(operation.sizeDigits))]"
            if operation.hasCanonicalTail {
                let parts = [
                    part(operation.reply), part(operation.headerDigits), part(operation.sizeDigits),
                ]
                let tail = parts.filter { !$0.isEmpty }.joined(separator: " ") + "\r\n"
                precondition(
                    part(operation.tail) == tail, "canonical: \(part(operation.tail)) for \(tail)")
            }
            if operation.totalBytes < 16 << 10 {
                line += " {\(text(buffer + operation.payloadStart, operation.totalBytes))}"
            }
            return line
        case .subscribe:
            return
                "subscribe \(part(operation.subject)) queue=\(part(operation.queue)) sid=\(part(operation.sid))"
        case .unsubscribe: return "unsubscribe \(part(operation.sid)) max=\(operation.deliveredMax)"
        case .connect, .info, .error: return "\(operation.verb) \(part(operation.argument))"
        case .ping, .pong, .ignored: return "\(operation.verb)"
        }
    }
}

extension PublishFastPath {
    /// Whether the parser found the same places in the operation that starts at `start`.
    func agrees(with operation: Operation, at start: Int) -> Bool {
        operation.verb == .publish && operation.hasCanonicalTail
            && operation.subject
                == ByteRange(from: start + Self.subjectStart, to: start + tailStart - 1)
            && operation.reply.length == replyCount
            && (replyCount == 0 || Int(operation.reply.start) == start + tailStart)
            && operation.tail == ByteRange(from: start + tailStart, to: start + lineCount)
            && operation.payloadStart == start + lineCount && operation.totalBytes == payloadCount
            && operation.end == start + byteCount
    }
}
