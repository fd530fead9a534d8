/// What comparisons of values work in.
struct ValueComparison {
    let stack: ValueStack
    /// The keys of large objects of the document under evaluation, once one is compared.
    let keys: EntryTable
    let seed: KeySeed

    func free() {
        stack.free()
        keys.free()
    }
}

/// Whether values are the same by JSON Schema: numbers by value, objects in any order.
extension Values {
    /// The other values are those of the document under evaluation. `work` pays: without any left, or
    /// with a number that is too long, the answer is of no use.
    func areEqual(
        _ index: Int, _ other: Values, _ otherIndex: Int, _ comparison: ValueComparison,
        _ work: inout Work
    ) -> Bool {
        let stack = comparison.stack
        var level = 0
        var value = index
        var otherValue = otherIndex
        while true {
            let entry = tape[value]
            let otherEntry = other.tape[otherValue]
            guard areAlike(entry, other, otherEntry, &work) else { return false }
            if entry.isContainer {
                stack[level] = ValueFrame(
                    isObject: entry.kind == .object, next: value &+ 1, end: entry.next,
                    otherNext: otherValue &+ 1, other: otherValue)
                level &+= 1
            }
            while level > 0 && stack[level &- 1].next == stack[level &- 1].end { level &-= 1 }
            if level == 0 { return true }
            var frame = stack[level &- 1]
            value = frame.next
            otherValue = frame.otherNext
            if frame.isObject {
                otherValue = other.member(tape[value], of: bytes, in: frame, comparison, &work)
                if otherValue < 0 { return false }
                value &+= 1
                otherValue &+= 1
            }
            frame.next = tape.index(after: value)
            frame.otherNext = other.tape.index(after: otherValue)
            stack[level &- 1] = frame
        }
    }

    /// The same without what containers hold.
    private func areAlike(
        _ entry: JSONEntry, _ other: Values, _ otherEntry: JSONEntry, _ work: inout Work
    ) -> Bool {
        work.left &-= 1
        guard entry.kind == otherEntry.kind && work.left >= 0 else { return false }
        switch entry.kind {
        case .null, .false, .true: return true
        case .number: return compare(entry, other, otherEntry, &work) == 0
        case .string:
            work.left &-= min(entry.length, otherEntry.length) &>> 3
            return areEqualStrings(bytes, entry, other.bytes, otherEntry)
        case .array, .object: return entry.count == otherEntry.count
        }
    }

    /// Keys of an object are compared one by one up to here, by table from here on.
    private static var tableFromCount: Int { 16 }

    /// The key of the object that a frame compares with which is the same as another document's key,
    /// or -1: mostly the one that stands next.
    private func member(
        _ key: JSONEntry, of keyBytes: Bytes, in frame: ValueFrame, _ comparison: ValueComparison,
        _ work: inout Work
    ) -> Int {
        work.left &-= 1
        let object = tape[frame.other]
        if frame.otherNext < object.next, isSame(frame.otherNext, key, keyBytes) {
            return frame.otherNext
        }
        if object.count > Self.tableFromCount {
            return memberInTable(key, keyBytes, frame.other, comparison.keys, &work)
        }
        var mine = frame.other &+ 1
        while mine < object.next {
            work.left &-= 1
            if isSame(mine, key, keyBytes) { return mine }
            mine = tape.index(after: mine &+ 1)
        }
        return -1
    }

    private func isSame(_ mine: Int, _ key: JSONEntry, _ keyBytes: Bytes) -> Bool {
        tape[mine].hash == key.hash && areEqualStrings(bytes, tape[mine], keyBytes, key)
    }

    /// The first look into an object puts all its keys into the table.
    private func memberInTable(
        _ key: JSONEntry, _ keyBytes: Bytes, _ object: Int, _ table: EntryTable,
        _ work: inout Work
    ) -> Int {
        let salt = UInt32(truncatingIfNeeded: object) &* 0x9E37_79B9
        let first = object &+ 1
        var found = table.first(tape[first].hash ^ salt)
        while found >= 0 && found != first { found = table.next(found) }
        if found < 0 {
            var mine = first
            while mine < tape[object].next {
                work.left &-= 1
                table.put(mine, of: object, tape[mine].hash ^ salt)
                mine = tape.index(after: mine &+ 1)
            }
        }
        found = table.first(key.hash ^ salt)
        while found >= 0 {
            if table.owner(of: found) == object && isSame(found, key, keyBytes) { return found }
            found = table.next(found)
        }
        return -1
    }
}
