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
        var reads = ParserReads(self)
        for chunk in chunks where !reads.isOver { reads.read(chunk) }
        return reads.finish()
    }

    func events(_ text: String) -> [String] { events([Array(text.utf8)]) }

    /// The same without what is kept at the end, which depends on how the bytes were cut.
    func operations(_ chunks: [[UInt8]]) -> [String] {
        events(chunks).filter { !$0.hasPrefix("kept") && !$0.hasPrefix("large ") }
    }

    fileprivate static func describe(_ operation: Operation, _ buffer: MutableBytes) -> String {
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

/// The reads of one connection, one after the other.
private struct ParserReads {
    private let bench: ParserBench
    private var parser: Parser
    /// One for all, as in the broker: nothing may be left of the one before.
    private var operation = Operation()
    private var events: [String] = []
    private var kept: [UInt8] = []
    /// Of a large payload: what it has so far, and how much it needs.
    private var large: (line: String, bytes: [UInt8], count: Int)?
    private(set) var isOver = false

    init(_ bench: ParserBench) {
        self.bench = bench
        parser = Parser(
            controlLineBytesMax: bench.controlLineBytesMax, payloadBytesMax: bench.payloadBytesMax,
            largePayloadBytes: bench.largePayloadBytes)
    }

    mutating func finish() -> [String] {
        guard !isOver else { return events }
        if !kept.isEmpty { events.append("kept \(kept.count)") }
        if let large { events.append("large \(large.bytes.count) of \(large.count)") }
        return events
    }

    mutating func read(_ chunk: [UInt8]) {
        var rest = chunk[...]
        if large != nil {
            let part = rest.prefix(large!.count - large!.bytes.count)
            large!.bytes += part
            rest = rest.dropFirst(part.count)
            guard large!.bytes.count == large!.count else { return }
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
        var position = 0
        while position < input.count, !isOver {
            position = parse(buffer, from: position, to: input.count)
        }
    }

    /// One operation, or what there is of it; where the next one starts.
    private mutating func parse(_ buffer: MutableBytes, from position: Int, to count: Int) -> Int {
        let fast = PublishFastPath(
            buffer + position, count - position,
            payloadBytesMax: min(bench.payloadBytesMax, bench.largePayloadBytes - 1))
        let status = parser.next(
            buffer, from: position, to: count, headers: bench.headers, into: &operation)
        if let fast, bench.controlLineBytesMax >= PublishFastPath.argumentBytesMax {
            guard case .complete = status, fast.agrees(with: operation, at: position) else {
                return stop("the fast path finds \(fast)", at: position)
            }
        }
        switch status {
        case .complete:
            events.append(ParserBench.describe(operation, buffer))
            return operation.end
        case .largePayload: return takeLarge(buffer, to: count)
        case .incomplete:
            let start = parser.compactedStart(buffer, to: count)
            precondition(start >= position && start <= count, "keeps what is not there")
            kept = array(buffer + start, count - start)
            return count
        case .violation(let violation): return stop("violation \(violation)", at: position)
        }
    }

    private mutating func takeLarge(_ buffer: MutableBytes, to count: Int) -> Int {
        let needed = operation.totalBytes + 2
        let bytes = array(
            buffer + operation.payloadStart, min(needed, count - operation.payloadStart))
        let line = ParserBench.describe(operation, buffer)
        if bytes.count == needed {
            events.append(line + bytes.asText)
        } else {
            large = (line, bytes, needed)
        }
        return operation.payloadStart + bytes.count
    }

    private mutating func stop(_ event: String, at position: Int) -> Int {
        events.append(event)
        isOver = true
        return position
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
