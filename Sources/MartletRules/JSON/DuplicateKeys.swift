internal import CMartletSystem

/// Finds keys that an object has twice: against each other in small objects, by table in large
/// ones.
struct DuplicateKeys {
    let bytes: Bytes
    let tape: Cells<JSONEntry>
    let table: EntryTable
    let unescaped: Cells<UInt8>
    let seed: KeySeed

    /// Keys of an object are compared one by one up to here, by table from here on.
    static let tableFromCount = 24

    /// Whether the object has the key of the entry `last` before it.
    @inline(always)
    func isRepeated(_ frame: UnsafeMutablePointer<ScanFrame>, _ last: Int) -> Bool {
        let object = unsafe frame.pointee.entry
        if unsafe last &- object &- frame.pointee.nested > 2 &* Self.tableFromCount {
            return unsafe isRepeatedInTable(frame, last)
        }
        var other = object &+ 1
        while other < last {
            if areSame(other, last) { return true }
            other = tape.index(after: other &+ 1)
        }
        return false
    }

    /// The same by table, which gets the keys that were not asked about first.
    private func isRepeatedInTable(
        _ frame: UnsafeMutablePointer<ScanFrame>, _ last: Int
    ) -> Bool {
        let object = unsafe frame.pointee.entry
        let tabled = unsafe frame.pointee.lastKeyInTable
        var key = tabled == 0 ? object &+ 1 : tape.index(after: tabled &+ 1)
        while key < last {
            _ = isNew(object, key)
            key = tape.index(after: key &+ 1)
        }
        unsafe frame.pointee.lastKeyInTable = last
        return !isNew(object, last)
    }

    private func isNew(_ object: Int, _ entry: Int) -> Bool {
        // Objects of one document share the table.
        let salt = UInt32(truncatingIfNeeded: object) &* 0x9E37_79B9
        let hash = tape[entry].hash ^ salt
        var other = table.first(hash)
        while other >= 0 {
            if table.owner(of: other) == object && areSame(other, entry) { return false }
            other = table.next(other)
        }
        table.put(entry, of: object, hash)
        return true
    }

    private func areSame(_ a: Int, _ b: Int) -> Bool {
        let a = tape[a]
        let b = tape[b]
        return a.hash == b.hash && areEqualStrings(bytes, a, bytes, b)
    }

    /// The hash of a key as it is without its escapes.
    @inline(never)
    func hashOfEscaped(_ offset: Int, _ length: Int) -> UInt32 {
        var reader = ScalarReader(bytes, JSONEntry(offset: offset, length: length, kind: .string))
        let unescaped = unescaped
        var written = 0
        while !reader.isAtEnd {
            var (encoded, size) = encodedUTF8(reader.next())
            for _ in 0..<size {
                unescaped[written] = UInt8(truncatingIfNeeded: encoded)
                written &+= 1
                encoded &>>= 8
            }
        }
        return unsafe martlet_json_key_hash(unescaped.start, written, seed.factors)
    }
}
