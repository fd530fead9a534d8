/// A hash table that a client may fill, and of which no growth takes long: a larger one consists of parts, by
/// the upper bits of the hashes, each of which grows by itself. One of half a million entries takes 20 to 40
/// ms to be doubled at once.
///
/// SAFETY: `block` is the places of a `HashTable` of this capacity and count; in a table of parts, whose
/// capacity is `ofParts`, it is 1,024 tables instead. Empty, it is nil.
@safe
struct PartedTable<Entry: TableEntry> {
    private var block: UnsafeMutableRawPointer?
    private var capacity: UInt32 = 0
    private(set) var count: UInt32 = 0

    private typealias Part = HashTable<Entry>

    /// Entries from which on there are parts. It takes some 200 µs to make them.
    static var wholeMax: UInt32 { 2_048 }
    private static var partBits: UInt32 { 10 }
    private static var partCount: Int { 1 << Int(partBits) }
    private static var ofParts: UInt32 { .max }

    private var hasParts: Bool { capacity == Self.ofParts }

    private var parts: UnsafeMutablePointer<Part> {
        unsafe block.unsafelyUnwrapped.assumingMemoryBound(to: Part.self)
    }

    /// All of it, where there are no parts.
    private var whole: Part {
        get {
            unsafe Part(
                places: block?.assumingMemoryBound(to: Entry.self), capacity: capacity,
                count: count)
        }
        set {
            unsafe block = unsafe UnsafeMutableRawPointer(newValue.places)
            capacity = newValue.capacity
            count = newValue.count
        }
    }

    @inline(__always)
    private static func index(of hash: UInt32) -> Int { Int(hash &>> (32 - partBits)) }

    /// The entry with this hash that somebody wants.
    @inline(__always)
    func find(_ hash: UInt32, where isWanted: (Entry) -> Bool) -> Entry? {
        let table = unsafe hasParts ? parts[Self.index(of: hash)] : whole
        guard let place = table.place(of: hash, where: isWanted) else { return nil }
        return table.entry(at: place)
    }

    /// Without memory nothing is put in.
    mutating func insert(_ entry: Entry, from memory: some TableMemory) throws(OutOfMemory) {
        if !hasParts {
            guard count >= Self.wholeMax else { return try whole.insert(entry, from: memory) }
            try makeParts(memory)
        }
        unsafe try parts[Self.index(of: entry.hash)].insert(entry, from: memory)
        count += 1
    }

    /// Takes out the entry with this hash that somebody wants, if it is there.
    mutating func remove(
        _ hash: UInt32, where isWanted: (Entry) -> Bool, to memory: some TableMemory
    ) {
        let table = unsafe hasParts ? parts[Self.index(of: hash)] : whole
        guard let place = table.place(of: hash, where: isWanted) else { return }
        remove(at: place, ofPart: Self.index(of: hash), to: memory)
    }

    mutating func release(to memory: some TableMemory) {
        if hasParts {
            unsafe Self.release(parts, to: memory)
            self = PartedTable()
        } else {
            whole.release(to: memory)
        }
    }

    private mutating func remove(at place: UInt32, ofPart part: Int, to memory: some TableMemory) {
        guard hasParts else { return whole.remove(at: place, to: memory) }
        unsafe parts[part].remove(at: place, to: memory)
        count -= 1
        if count == 0 { release(to: memory) }
    }

    private mutating func makeParts(_ memory: some TableMemory) throws(OutOfMemory) {
        let fresh = unsafe try memory.allocate(tableOf: Self.partsBytes)
            .assumingMemoryBound(to: Part.self)
        unsafe fresh.initialize(repeating: Part(), count: Self.partCount)
        var cursor = Cursor()
        do throws(OutOfMemory) {
            while let entry = next(&cursor) {
                unsafe try fresh[Self.index(of: entry.hash)].insert(entry, from: memory)
            }
        } catch {
            unsafe Self.release(fresh, to: memory)
            throw error
        }
        let count = count
        whole.release(to: memory)
        unsafe block = UnsafeMutableRawPointer(fresh)
        capacity = Self.ofParts
        self.count = count
    }

    private static var partsBytes: Int { partCount * MemoryLayout<Part>.stride }

    private static func release(_ parts: UnsafeMutablePointer<Part>, to memory: some TableMemory) {
        for i in 0..<partCount { unsafe parts[i].release(to: memory) }
        unsafe memory.free(parts, partsBytes)
    }

    // MARK: One after another

    /// How far somebody has come who goes through the table, with pauses maybe.
    struct Cursor {
        fileprivate var part = 0
        fileprivate var place: UInt32 = 0
        fileprivate var capacity: UInt32 = 0
        fileprivate var hasParts = false

        /// Entries have other places than when it was used last.
        func isOutdated(for table: PartedTable) -> Bool {
            guard part > 0 || place > 0 else { return false }
            return hasParts != table.hasParts || capacity != table.table(at: self).capacity
        }
    }

    private func table(at cursor: Cursor) -> Part {
        unsafe hasParts ? parts[cursor.part] : whole
    }

    /// The entry behind the cursor; empty places are passed over.
    func next(_ cursor: inout Cursor) -> Entry? {
        cursor.hasParts = hasParts
        while true {
            let table = table(at: cursor)
            cursor.capacity = table.capacity
            if let place = table.usedPlace(from: cursor.place) {
                cursor.place = place + 1
                return table.entry(at: place)
            }
            cursor.place = table.capacity
            guard hasParts, cursor.part + 1 < Self.partCount else { return nil }
            cursor.part += 1
            cursor.place = 0
        }
    }

    /// The same, taken out. Others may be taken out meanwhile, but none put in.
    mutating func removeNext(_ cursor: inout Cursor, to memory: some TableMemory) -> Entry? {
        guard let entry = next(&cursor) else { return nil }
        // Another one may move up to its place.
        cursor.place -= 1
        remove(at: cursor.place, ofPart: cursor.part, to: memory)
        return entry
    }

    @inline(__always)
    func visitAll(_ body: (Entry) -> Void) {
        var cursor = Cursor()
        while let entry = next(&cursor) { body(entry) }
    }
}
