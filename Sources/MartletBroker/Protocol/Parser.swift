import CMartletSystem
import Glibc

/// Annotates bytes with the places of verbs and arguments; copies nothing, keeps no state. A line
/// that is not whole yet is looked at again from its start when more has come.
///
/// nats-server's parser is the model, quirks included: it looks at one byte after another, so a
/// wrong byte is an error before its line is whole.
///
/// SAFETY: the buffer is readable for `slack` bytes past `count`.
struct Parser {
    /// Bytes behind the input that masks may read: 64, from up to 4 past the last byte.
    static let slack = 80

    /// Bytes of one control line's arguments.
    var controlLineBytesMax: Int
    var payloadBytesMax: Int
    /// Payloads from this size on are not waited for in the receive buffer.
    var largePayloadBytes: Int

    /// After `.incomplete`: what is before this needs no keeping.
    private(set) var keepFrom = 0

    init(controlLineBytesMax: Int, payloadBytesMax: Int, largePayloadBytes: Int) {
        self.controlLineBytesMax = controlLineBytesMax
        self.payloadBytesMax = payloadBytesMax
        self.largePayloadBytes = largePayloadBytes
    }

    /// The operation that starts at `start`.
    mutating func next(
        _ buffer: Bytes, from start: Int, to count: Int, headers: Bool,
        into operation: inout Operation
    ) -> ParseStatus {
        keepFrom = start
        guard let match = unsafe VerbTable.match(buffer + start, count - start) else {
            return .violation(.unknownOperation)
        }
        guard let (verb, length, form) = match.verb else { return .incomplete }
        operation.verb = verb
        var i = start + length
        if form == .restIgnored {
            return unsafe skipLine(buffer, i, count, start, length, into: &operation)
        }
        if form == .spaceRequired {
            guard i < count else { return .incomplete }
            guard unsafe buffer[i] == .space || buffer[i] == .tab else {
                return .violation(.unknownOperation)
            }
        }
        while i < count, unsafe buffer[i] == .space || buffer[i] == .tab { i += 1 }
        guard i < count else {
            // White space before the argument has no limit and need not be kept.
            keepFrom = max(start, count - length - 1)
            if keepFrom > start { unsafe compactVerb(buffer, from: start, length, to: keepFrom) }
            return .incomplete
        }
        switch verb {
        case .publish:
            return unsafe publish(buffer, i, count, start, withHeader: false, into: &operation)
        case .publishWithHeader:
            guard headers else {
                let line = unsafe wholeLine(buffer, i, count, into: &operation)
                guard case .complete = line else { return line }
                return .violation(.headersNotSupported)
            }
            return unsafe publish(buffer, i, count, start, withHeader: true, into: &operation)
        default:
            let line = unsafe wholeLine(buffer, i, count, into: &operation)
            guard case .complete = line else { return line }
            if verb == .subscribe { return unsafe subscribe(buffer, into: &operation) }
            if verb == .unsubscribe { return unsafe unsubscribe(buffer, into: &operation) }
            return .complete
        }
    }

    /// After `.incomplete`: where what must be kept starts, once the white space between verb and argument
    /// is down to one byte. So what is kept never exceeds a verb, a control line and a small payload.
    @inline(never)
    mutating func compactedStart(_ buffer: Bytes, to count: Int) -> Int {
        guard let match = unsafe VerbTable.match(buffer + keepFrom, count - keepFrom),
            let (_, length, form) = match.verb, form != .restIgnored
        else { return keepFrom }
        var argument = keepFrom + length
        while argument < count, unsafe buffer[argument] == .space || buffer[argument] == .tab {
            argument += 1
        }
        let kept = argument - length - 1
        guard kept > keepFrom, argument < count else { return keepFrom }
        unsafe compactVerb(buffer, from: keepFrom, length, to: kept)
        keepFrom = kept
        return kept
    }

    /// Moves the verb up to the bytes that are kept, so that an endless run of spaces is not.
    private func compactVerb(_ buffer: Bytes, from start: Int, _ length: Int, to keep: Int) {
        unsafe memmove(MutableBytes(mutating: buffer + keep), buffer + start, length)
    }

    private mutating func skipLine(
        _ buffer: Bytes, _ start: Int, _ count: Int, _ verbStart: Int, _ length: Int,
        into operation: inout Operation
    ) -> ParseStatus {
        guard let found = unsafe memchr(buffer + start, Int32(UInt8.lineFeed), count - start) else {
            keepFrom = count - length
            unsafe compactVerb(buffer, from: verbStart, length, to: keepFrom)
            return .incomplete
        }
        operation.argument = .empty
        operation.end = unsafe offset(of: found, in: buffer) + 1
        return .complete
    }

    @inline(__always)
    private func offset(of found: UnsafeMutableRawPointer, in buffer: Bytes) -> Int {
        unsafe UnsafeRawPointer(found) - UnsafeRawPointer(buffer)
    }

    /// The argument from `start` to the line's end. Its first byte is never the end. One byte before
    /// the LF is dropped if a CR stands anywhere in the argument.
    private func wholeLine(
        _ buffer: Bytes, _ start: Int, _ count: Int, into operation: inout Operation
    ) -> ParseStatus {
        guard start + 1 < count,
            let found = unsafe memchr(buffer + start + 1, Int32(UInt8.lineFeed), count - start - 1)
        else {
            // One byte will be dropped for a CR; it does not count.
            let rest = max(0, count - start - 1)
            let hasReturn =
                unsafe memchr(buffer + start + 1, Int32(UInt8.carriageReturn), rest) != nil
            let length = count - start - (hasReturn ? 1 : 0)
            return length > controlLineBytesMax ? .violation(.controlLineTooLong) : .incomplete
        }
        let lineEnd = unsafe offset(of: found, in: buffer)
        let hasReturn =
            unsafe memchr(buffer + start + 1, Int32(UInt8.carriageReturn), lineEnd - start - 1)
            != nil
        let end = hasReturn ? lineEnd - 1 : lineEnd
        guard end - start <= controlLineBytesMax else { return .violation(.controlLineTooLong) }
        operation.argument = ByteRange(from: start, to: end)
        operation.end = lineEnd + 1
        return .complete
    }
}

// MARK: - PUB and HPUB

extension Parser {
    /// Lines with arguments of visible characters, white space between, and CR LF at the end.
    /// Anything else goes to `publishSlowly`.
    private mutating func publish(
        _ buffer: Bytes, _ start: Int, _ count: Int, _ operationStart: Int, withHeader: Bool,
        into operation: inout Operation
    ) -> ParseStatus {
        var arguments = PublishArguments()
        var tokenStart = start
        var base = start
        while base < count {
            var mask = unsafe martlet_whitespace_mask(buffer + base)
            while mask != 0 {
                let i = base &+ mask.trailingZeroBitCount
                mask &= mask &- 1
                guard i < count else { break }
                if i > tokenStart { arguments.append(from: tokenStart, to: i) }
                tokenStart = i &+ 1
                let byte = unsafe buffer[i]
                guard byte == .carriageReturn || byte == .lineFeed else { continue }
                guard byte == .carriageReturn, i &+ 1 < count,
                    unsafe buffer[i &+ 1] == .lineFeed, (1...4).contains(arguments.count)
                else {
                    return unsafe publishSlowly(
                        buffer, start, count, operationStart, withHeader, &operation)
                }
                operation.argument = ByteRange(from: Int(arguments.first.start), to: i)
                operation.end = i &+ 2
                return unsafe publishArguments(
                    buffer, count, operationStart, withHeader, arguments, &operation)
            }
            base &+= 64
        }
        return unsafe publishSlowly(buffer, start, count, operationStart, withHeader, &operation)
    }

    /// Lines that end in LF alone, have a CR inside, or are not whole yet.
    @inline(never)
    private mutating func publishSlowly(
        _ buffer: Bytes, _ start: Int, _ count: Int, _ operationStart: Int, _ withHeader: Bool,
        _ operation: inout Operation
    ) -> ParseStatus {
        keepFrom = operationStart
        var first = start
        while first < count, unsafe buffer[first] == .space || buffer[first] == .tab { first += 1 }
        guard first < count else {
            let length = withHeader ? 4 : 3
            keepFrom = max(operationStart, count - length - 1)
            if keepFrom > operationStart {
                unsafe compactVerb(buffer, from: operationStart, length, to: keepFrom)
            }
            return .incomplete
        }
        let line = unsafe wholeLine(buffer, first, count, into: &operation)
        guard case .complete = line else { return line }
        var arguments = PublishArguments()
        let end = Int(operation.argument.start) + operation.argument.length
        var i = first
        while i < end {
            while i < end, unsafe buffer[i] == .space || buffer[i] == .tab { i += 1 }
            guard i < end else { break }
            let tokenStart = i
            while i < end, unsafe buffer[i] != .space, unsafe buffer[i] != .tab { i += 1 }
            arguments.append(from: tokenStart, to: i)
        }
        return unsafe publishArguments(
            buffer, count, operationStart, withHeader, arguments, &operation)
    }

    /// Whether nothing but a space stands between two arguments.
    @inline(__always)
    private static func isOneSpace(_ buffer: Bytes, _ one: ByteRange, _ next: ByteRange) -> Bool {
        let place = one.start &+ one.count
        return unsafe next.start == place &+ 1 && buffer[Int(place)] == .space
    }

    private mutating func publishArguments(
        _ buffer: Bytes, _ count: Int, _ operationStart: Int, _ withHeader: Bool,
        _ arguments: PublishArguments, _ operation: inout Operation
    ) -> ParseStatus {
        guard arguments.count <= 4 else { return .violation(.badArguments) }
        guard operation.argument.length <= controlLineBytesMax else {
            return .violation(.controlLineTooLong)
        }
        operation.verb = withHeader ? .publishWithHeader : .publish
        operation.subject = arguments.first
        // subject [reply] [header size] size
        let required = withHeader ? 3 : 2
        guard arguments.count == required || arguments.count == required &+ 1 else {
            return .violation(.badArguments)
        }
        let hasReply = arguments.count > required
        operation.reply = hasReply ? arguments.second : .empty
        let sizes =
            hasReply ? (arguments.third, arguments.fourth) : (arguments.second, arguments.third)
        var isCanonical =
            !hasReply || (unsafe Self.isOneSpace(buffer, arguments.second, arguments.third))
        if withHeader {
            operation.headerDigits = sizes.0
            operation.sizeDigits = sizes.1
            operation.headerBytes = unsafe Self.size(buffer, sizes.0)
            guard operation.headerBytes >= 0 else { return .violation(.badArguments) }
            isCanonical = isCanonical && (unsafe Self.isOneSpace(buffer, sizes.0, sizes.1))
            // An empty header block makes a plain message, which has no header size.
            if operation.headerBytes == 0 { isCanonical = false }
        } else {
            operation.headerDigits = .empty
            operation.sizeDigits = sizes.0
            operation.headerBytes = -1
        }
        operation.totalBytes = unsafe Self.size(buffer, operation.sizeDigits)
        guard operation.totalBytes >= 0, operation.headerBytes <= operation.totalBytes else {
            return .violation(.badArguments)
        }
        let sizeEnd = Int(operation.sizeDigits.start &+ operation.sizeDigits.count)
        operation.payloadStart = operation.end
        operation.hasCanonicalTail = isCanonical && operation.payloadStart == sizeEnd &+ 2
        operation.tail = ByteRange(
            from: Int(arguments.second.start), to: operation.payloadStart)
        return unsafe payload(buffer, count, operationStart, &operation)
    }

    @inline(__always)
    private mutating func payload(
        _ buffer: Bytes, _ count: Int, _ operationStart: Int, _ operation: inout Operation
    ) -> ParseStatus {
        guard operation.totalBytes <= payloadBytesMax else { return .violation(.payloadTooLarge) }
        let payloadEnd = operation.payloadStart &+ operation.totalBytes
        operation.end = payloadEnd &+ 2
        if operation.totalBytes >= largePayloadBytes { return .largePayload }
        if operation.end <= count {
            guard unsafe buffer[payloadEnd] == .carriageReturn,
                unsafe buffer[payloadEnd &+ 1] == .lineFeed
            else {
                return .violation(.unknownOperation)
            }
            return .complete
        }
        if payloadEnd < count, unsafe buffer[payloadEnd] != .carriageReturn {
            return .violation(.unknownOperation)
        }
        keepFrom = operationStart
        return .incomplete
    }

    /// 1 to 9 digits; -1 for anything else.
    @inline(__always)
    static func size(_ buffer: Bytes, _ digits: ByteRange) -> Int {
        guard digits.count >= 1, digits.count <= 9 else { return -1 }
        var value = 0
        let start = unsafe buffer.at(digits)
        for i in 0..<digits.length {
            let digit = unsafe start[i] &- UInt8(ascii: "0")
            guard digit <= 9 else { return -1 }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }
}

/// The words of a PUB or HPUB line; the fifth and later ones are only counted.
private struct PublishArguments {
    var count = 0
    var first = ByteRange.empty
    var second = ByteRange.empty
    var third = ByteRange.empty
    var fourth = ByteRange.empty

    @inline(__always)
    mutating func append(from start: Int, to end: Int) {
        let word = ByteRange(from: start, to: end)
        switch count {
        case 0: first = word
        case 1: second = word
        case 2: third = word
        case 3: fourth = word
        default: break
        }
        count &+= 1
    }
}

// MARK: - SUB and UNSUB

extension Parser {
    private func subscribe(_ buffer: Bytes, into operation: inout Operation) -> ParseStatus {
        guard let arguments = unsafe words(buffer, operation.argument) else {
            return .violation(.badArguments)
        }
        switch arguments.count {
        case 2:
            (operation.subject, operation.queue, operation.sid) = (arguments.1, .empty, arguments.2)
        case 3:
            (operation.subject, operation.queue, operation.sid) = (
                arguments.1, arguments.2, arguments.3
            )
        default: return .violation(.badArguments)
        }
        return .complete
    }

    private func unsubscribe(_ buffer: Bytes, into operation: inout Operation) -> ParseStatus {
        guard let arguments = unsafe words(buffer, operation.argument),
            (1...2).contains(arguments.count)
        else {
            return .violation(.badArguments)
        }
        operation.sid = arguments.1
        // Not a number means at once, like 0.
        operation.deliveredMax =
            unsafe arguments.count == 2 ? max(0, Self.size(buffer, arguments.2)) : 0
        return .complete
    }

    /// Up to three words between spaces, tabs, CR and LF; nil when there are more.
    private func words(
        _ buffer: Bytes, _ range: ByteRange
    ) -> (count: Int, ByteRange, ByteRange, ByteRange)? {
        var found = (count: 0, ByteRange.empty, ByteRange.empty, ByteRange.empty)
        let end = Int(range.start) + range.length
        var i = Int(range.start)
        while i < end {
            while i < end, unsafe Self.isSpace(buffer[i]) { i += 1 }
            guard i < end else { break }
            let start = i
            while i < end, unsafe !Self.isSpace(buffer[i]) { i += 1 }
            let word = ByteRange(from: start, to: i)
            switch found.count {
            case 0: found.1 = word
            case 1: found.2 = word
            case 2: found.3 = word
            default: return nil
            }
            found.count += 1
        }
        return found
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == .space || byte == .tab || byte == .carriageReturn || byte == .lineFeed
    }
}
