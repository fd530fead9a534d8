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
    /// written, as the server does.
    func headerValue(_ names: Bytes, _ offset: Int, length: Int) -> Range<Int>? {
        var line = lineEnd(0)
        while line < header.count {
            let end = lineEnd(line)
            let colon = line &+ length
            if colon < end && header[colon] == UInt8(ascii: ":")
                && header.areEqual(line, names, offset, length: length)
            {
                return trimmed(colon &+ 1, end)
            }
            line = end
        }
        return nil
    }

    /// Behind the line feed of the line that begins at a place.
    private func lineEnd(_ start: Int) -> Int {
        var position = start
        while position < header.count {
            position &+= 1
            if header[position &- 1] == 0x0A { break }
        }
        return position
    }

    private func trimmed(_ start: Int, _ end: Int) -> Range<Int> {
        var start = start
        var end = end
        while end > start && header[end &- 1] <= 0x20 { end &-= 1 }
        while start < end && header[start] <= 0x20 { start &+= 1 }
        return start..<end
    }
}
