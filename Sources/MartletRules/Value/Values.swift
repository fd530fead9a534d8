/// The values of a document, as comparisons see them: of the document under evaluation, or of
/// constants in a schema.
struct Values {
    let bytes: Bytes
    let tape: Cells<JSONEntry>

    @inline(__always)
    func decimal(_ entry: JSONEntry) -> Decimal { Decimal(bytes, entry) }

    /// A number without fraction and exponent that fits.
    @inline(__always)
    func smallInteger(_ entry: JSONEntry) -> Int? {
        guard !entry.isFractional && entry.length <= 18 else { return nil }
        var position = entry.offset
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position &+= 1 }
        var value = 0
        while position < entry.end {
            value = value &* 10 &+ Int(bytes[position] & 0xF)
            position &+= 1
        }
        return isNegative ? 0 &- value : value
    }

    /// Twice a number, and one further from zero if it has a fraction: it compares with twice an
    /// integer as the number with the integer. nil for one with an exponent, or too long.
    @inline(__always)
    func twiceWithFraction(_ entry: JSONEntry) -> Int? {
        guard !entry.hasExponent && entry.length <= 18 else { return nil }
        var position = entry.offset
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position &+= 1 }
        var twice = 0
        while position < entry.end {
            let digit = bytes[position] &- UInt8(ascii: "0")
            if digit > 9 {
                twice &+= hasFraction(position &+ 1, entry.end) ? 1 : 0
                break
            }
            twice = twice &* 10 &+ 2 &* Int(digit)
            position &+= 1
        }
        return isNegative ? 0 &- twice : twice
    }

    private func hasFraction(_ start: Int, _ end: Int) -> Bool {
        for position in start..<end where bytes[position] != UInt8(ascii: "0") { return true }
        return false
    }

    /// Below, at or above zero, as numbers compare. Ends the evaluation if one is too long for that.
    func compare(
        _ entry: JSONEntry, _ other: Values, _ otherEntry: JSONEntry, _ work: inout Work
    ) -> Int {
        if let a = smallInteger(entry), let b = other.smallInteger(otherEntry) {
            return a < b ? -1 : a == b ? 0 : 1
        }
        if entry.isTooLong || otherEntry.isTooLong {
            work.refuse(entry.isTooLong ? entry : otherEntry)
            return 1
        }
        work.left &-= (entry.length &+ otherEntry.length) &>> 2
        return decimal(entry).compared(to: other.decimal(otherEntry))
    }

    /// Whether a number has no fraction, however it is written.
    func isInteger(_ entry: JSONEntry) -> Bool {
        !entry.isFractional || decimal(entry).isInteger
    }

    /// Code points of a string.
    func length(_ entry: JSONEntry) -> Int {
        if entry.isPlainASCII { return entry.length }
        var reader = ScalarReader(bytes, entry)
        var count = 0
        while !reader.isAtEnd {
            _ = reader.next()
            count &+= 1
        }
        return count
    }
}
