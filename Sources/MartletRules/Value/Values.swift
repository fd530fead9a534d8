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

    /// Below, at or above zero, as numbers compare.
    func compare(_ entry: JSONEntry, _ other: Values, _ otherEntry: JSONEntry) -> Int {
        if let a = smallInteger(entry), let b = other.smallInteger(otherEntry) {
            return a < b ? -1 : a == b ? 0 : 1
        }
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

    /// Whether two values are the same by JSON Schema: numbers by value, objects in any order.
    /// `work` pays.
    func areEqual(_ index: Int, _ other: Values, _ otherIndex: Int, _ work: inout Int) -> Bool {
        let a = tape[index]
        let b = other.tape[otherIndex]
        work &-= 1
        guard a.kind == b.kind && work >= 0 else { return false }
        switch a.kind {
        case .null, .false, .true: return true
        case .number: return compare(a, other, b) == 0
        case .string:
            work &-= a.length &>> 3
            return areEqualStrings(bytes, a, other.bytes, b)
        case .array: return areEqualArrays(index, other, otherIndex, &work)
        case .object: return areEqualObjects(index, other, otherIndex, &work)
        }
    }

    private func areEqualArrays(
        _ index: Int, _ other: Values, _ otherIndex: Int, _ work: inout Int
    ) -> Bool {
        guard tape[index].count == other.tape[otherIndex].count else { return false }
        let end = tape[index].next
        var mine = index &+ 1
        var theirs = otherIndex &+ 1
        while mine < end {
            if !areEqual(mine, other, theirs, &work) { return false }
            mine = tape.index(after: mine)
            theirs = other.tape.index(after: theirs)
        }
        return true
    }

    private func areEqualObjects(
        _ index: Int, _ other: Values, _ otherIndex: Int, _ work: inout Int
    ) -> Bool {
        guard tape[index].count == other.tape[otherIndex].count else { return false }
        let end = tape[index].next
        var mine = index &+ 1
        while mine < end {
            let theirs = other.member(tape[mine], of: bytes, in: otherIndex, &work)
            if theirs < 0 || !areEqual(mine &+ 1, other, theirs, &work) { return false }
            mine = tape.index(after: mine &+ 1)
        }
        return true
    }

    /// The value of the member with a key of another document, or -1.
    private func member(
        _ key: JSONEntry, of keyBytes: Bytes, in object: Int, _ work: inout Int
    ) -> Int {
        let end = tape[object].next
        var mine = object &+ 1
        while mine < end {
            work &-= 1
            let entry = tape[mine]
            if entry.hash == key.hash && areEqualStrings(bytes, entry, keyBytes, key) {
                return mine &+ 1
            }
            mine = tape.index(after: mine &+ 1)
        }
        return -1
    }

    // MARK: - Unique elements

    /// The same for values that are equal.
    private func hash(_ index: Int, _ work: inout Int) -> UInt32 {
        let entry = tape[index]
        work &-= 1
        var hash = UInt32(entry.kind.rawValue) &* 0x9E37_79B9
        switch entry.kind {
        case .null, .false, .true: break
        case .number: hash ^= decimal(entry).hash
        case .string:
            work &-= entry.length &>> 3
            var reader = ScalarReader(bytes, entry)
            while !reader.isAtEnd { hash = (hash ^ reader.next()) &* 0x0100_0193 }
        case .array:
            var element = index &+ 1
            while element < entry.next && work >= 0 {
                hash = (hash ^ self.hash(element, &work)) &* 0x85EB_CA6B &+ 1
                element = tape.index(after: element)
            }
        case .object:
            var key = index &+ 1
            while key < entry.next && work >= 0 {
                // The order does not count.
                hash &+= (tape[key].hash ^ self.hash(key &+ 1, &work)) &* 0xC2B2_AE35
                key = tape.index(after: key &+ 1)
            }
        }
        return hash ^ hash &>> 15
    }

    /// Whether no two elements of an array are equal.
    func areUnique(_ array: Int, _ table: EntryTable, _ work: inout Int) -> Bool {
        if tape[array].count < 2 { return true }
        table.forgetAll()
        let end = tape[array].next
        var element = array &+ 1
        while element < end && work >= 0 {
            var slot = table.firstSlot(hash(element, &work))
            while true {
                let other = table.entry(at: slot)
                if other < 0 { break }
                if areEqual(other, self, element, &work) { return false }
                slot = table.slot(after: slot)
            }
            table.put(element, of: array, at: slot)
            element = tape.index(after: element)
        }
        return true
    }
}
