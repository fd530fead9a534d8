/// What a template may take from besides the payload: the subject and the header block of a
/// message, each where the broker has it.
///
/// SAFETY: whoever makes one keeps the bytes where they are while it is in use.
@safe
public struct RuleMessage {
    let subject: Bytes
    let header: Bytes

    /// The header block begins with `NATS/1.0`; a count of 0 is a message without one.
    @unsafe public init(
        subject: UnsafePointer<UInt8>, subjectCount: Int, header: UnsafePointer<UInt8>,
        headerCount: Int
    ) {
        self.subject = unsafe Bytes(subject, count: subjectCount)
        self.header = unsafe Bytes(header, count: headerCount)
    }

    /// Where a token of the subject stands, from 0 on.
    func token(_ wanted: Int) -> Range<Int>? {
        var index = 0
        var start = 0
        for position in 0..<subject.count where subject[position] == UInt8(ascii: ".") {
            if index == wanted { return start..<position }
            index &+= 1
            start = position &+ 1
        }
        return index == wanted ? start..<subject.count : nil
    }

    /// Where the value of the first header field with a name stands. Names are compared as they are
    /// written, as the server does. What is behind an empty line is no field.
    func headerValue(_ names: Bytes, _ offset: Int, length: Int) -> Range<Int>? {
        var line = HeaderBlock.nextLine(header, HeaderBlock.lineEnd(header, 0))
        while line < header.count {
            let end = HeaderBlock.lineEnd(header, line)
            if end == line { return nil }
            let colon = line &+ length
            if colon < end && header[colon] == UInt8(ascii: ":")
                && header.areEqual(line, names, offset, length: length)
            {
                return trimmed(colon &+ 1, valueEnd(end))
            }
            line = HeaderBlock.nextLine(header, end)
        }
        return nil
    }

    /// A CR alone ends a line for some readers and is a part of the value for others: so it is one here,
    /// and no place takes it.
    private func valueEnd(_ lineEnd: Int) -> Int {
        var end = lineEnd
        while end < header.count && header[end] != 0x0A { end &+= 1 }
        return end
    }

    private func trimmed(_ start: Int, _ end: Int) -> Range<Int> {
        var start = start
        var end = end
        while end > start && header[end &- 1] <= 0x20 { end &-= 1 }
        while start < end && header[start] <= 0x20 { start &+= 1 }
        return start..<end
    }
}
