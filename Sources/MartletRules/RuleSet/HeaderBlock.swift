/// Writes a header block that is another one with some fields replaced.
///
/// What a client sends is not trusted to be well formed: readers differ in what ends a line, so here
/// CR, LF and both do, and an empty line ends the block. Else a field could be hidden from the rule
/// that replaces it, and be seen by a subscriber.
struct HeaderBlock {
    /// The fields to leave out: names in `text`.
    let names: Cells<SchemaSpan>
    let range: Range<Int>
    let text: Bytes

    /// All but the empty line at the end.
    func write(_ block: Bytes, to writer: inout ByteWriter) {
        var position = 0
        if block.count >= 8 && block.isStatusLine {
            let end = Self.lineEnd(block, 0)
            writer.write(block, 0, length: end)
            position = Self.nextLine(block, end)
        } else {
            writer.write("NATS/1.0")
        }
        writer.write("\r\n")
        // A line that begins with a space goes on with the field before it.
        var isLeftOut = false
        while position < block.count {
            let end = Self.lineEnd(block, position)
            if end == position { return }
            if block[position] != 0x20 && block[position] != 0x09 {
                isLeftOut = isNamed(block, position, end)
            }
            if !isLeftOut {
                writer.write(block, position, length: end &- position)
                writer.write("\r\n")
            }
            position = Self.nextLine(block, end)
        }
    }

    /// Whether the line is a field that is left out. Letter case counts, as it does for the server.
    private func isNamed(_ block: Bytes, _ start: Int, _ end: Int) -> Bool {
        var colon = start
        while colon < end && block[colon] != UInt8(ascii: ":") { colon &+= 1 }
        if colon == end { return false }
        while colon > start && block[colon &- 1] <= 0x20 { colon &-= 1 }
        for index in range {
            let name = names[index]
            if Int(name.length) == colon &- start
                && block.areEqual(start, text, Int(name.offset), length: Int(name.length))
            {
                return true
            }
        }
        return false
    }

    /// The place of the CR or LF that ends the line, or the block's end.
    static func lineEnd(_ block: Bytes, _ start: Int) -> Int {
        var end = start
        while end < block.count && block[end] != 0x0D && block[end] != 0x0A { end &+= 1 }
        return end
    }

    /// Where the next line begins.
    static func nextLine(_ block: Bytes, _ end: Int) -> Int {
        if end &+ 1 < block.count && block[end] == 0x0D && block[end &+ 1] == 0x0A {
            return end &+ 2
        }
        return min(end &+ 1, block.count)
    }
}

extension Bytes {
    fileprivate var isStatusLine: Bool {
        let version: StaticString = "NATS/1.0"
        for index in 0..<8 where unsafe version.utf8Start[index] != self[index] { return false }
        return true
    }
}
