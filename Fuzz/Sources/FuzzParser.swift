@testable import MartletBroker

/// Any bytes: every place in an operation lies in the buffer, and cutting the bytes changes nothing.
@Sendable func fuzzParser(_ input: [UInt8]) {
    guard input.count > 1 else { return }
    let bytes = Array(input.dropFirst())
    let whole = parse([bytes])
    let cut = Int(input[0]) * bytes.count / 256
    check(
        parse([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole,
        "cut at \(cut), it reads otherwise")
    if bytes.count < 200 {
        check(parse(bytes.map { [$0] }) == whole, "byte by byte, it reads otherwise")
    }
}

/// The fast path takes no other bytes than the parser, and finds the same places in them.
private func compare(
    _ fast: PublishFastPath, with operation: Operation, _ status: ParseStatus, at position: Int
) {
    guard case .complete = status else { return check(false, "taken fast, but \(status)") }
    check(
        position + fast.byteCount == operation.end
            && position + fast.tailStart == Int(operation.tail.start)
            && fast.replyCount == operation.reply.length
            && fast.payloadCount == operation.totalBytes && operation.hasCanonicalTail,
        "the fast path finds \(fast)")
}

/// What the chunks hold, each operation in words.
private func parse(_ chunks: [[UInt8]]) -> [String] {
    var parser = Parser(controlLineBytesMax: 64, payloadBytesMax: 1_000, largePayloadBytes: 100)
    var found: [String] = []
    var kept: [UInt8] = []
    var largeLeft = 0
    for chunk in chunks {
        let skipped = min(largeLeft, chunk.count)
        largeLeft -= skipped
        let input = kept + chunk.dropFirst(skipped)
        kept = []
        let buffer = MutableBytes.allocate(capacity: input.count + Parser.slack)
        defer { buffer.deallocate() }
        buffer.update(from: input, count: input.count)
        (buffer + input.count).initialize(repeating: 0x0A, count: Parser.slack)
        var operation = Operation()
        var position = 0
        while position < input.count {
            let fast = PublishFastPath(
                buffer + position, input.count - position, payloadBytesMax: 99)
            let status = parser.next(
                buffer, from: position, to: input.count, headers: true, into: &operation)
            if let fast { compare(fast, with: operation, status, at: position) }
            switch status {
            case .complete:
                found.append(describe(operation, buffer, operation.end))
                check(
                    operation.end > position && operation.end <= input.count,
                    "end \(operation.end) of \(input.count)")
                position = operation.end
            case .largePayload:
                found.append(describe(operation, buffer, operation.payloadStart))
                check(operation.payloadStart <= input.count, "a payload behind the end")
                position = min(operation.end, input.count)
                largeLeft = operation.end - position
            case .incomplete:
                let start = parser.compactedStart(buffer, to: input.count)
                check(
                    start >= position && start <= input.count,
                    "keeps from \(start) of \(input.count)")
                kept = Array(UnsafeBufferPointer(start: buffer + start, count: input.count - start))
                check(kept.count <= 64 + 100 + 16, "keeps \(kept.count) bytes")
                position = input.count
            case .violation(let violation):
                return found + ["\(violation)"]
            }
        }
    }
    return found
}

private func describe(_ operation: Operation, _ buffer: MutableBytes, _ end: Int) -> String {
    func part(_ range: ByteRange) -> String {
        check(Int(range.start) + range.length <= end, "\(range) ends behind \(end)")
        return text(buffer.at(range), range.length)
    }
    switch operation.verb {
    case .publish, .publishWithHeader:
        let parts = [
            operation.subject, operation.reply, operation.headerDigits, operation.sizeDigits,
        ].map(part)
        return
            "\(operation.verb) \(parts) \(operation.headerBytes) \(operation.totalBytes) \(operation.hasCanonicalTail)"
    case .subscribe:
        return "subscribe \([operation.subject, operation.queue, operation.sid].map(part))"
    case .unsubscribe: return "unsubscribe \(part(operation.sid)) \(operation.deliveredMax)"
    case .connect, .info, .error: return "\(operation.verb) \(part(operation.argument))"
    case .ping, .pong, .ignored: return "\(operation.verb)"
    }
}
