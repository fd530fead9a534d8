/// What a table holds: plain values that know their hash, one of which stands for an empty place.
protocol TableEntry: BitwiseCopyable {
    static var empty: Self { get }
    var isEmpty: Bool { get }
    var hash: UInt32 { get }
}

/// Where a table has its memory from. It goes over the budget rather than lose a subscription.
protocol TableMemory {
    func allocate(tableOf byteCount: Int) throws(OutOfMemory) -> UnsafeMutableRawPointer
    func free(_ block: UnsafeMutableRawPointer, _ byteCount: Int)
}

extension BlockPool: TableMemory {
    func allocate(tableOf byteCount: Int) throws(OutOfMemory) -> UnsafeMutableRawPointer {
        guard let block = unsafe allocateOverBudget(byteCount) else { throw OutOfMemory() }
        return unsafe block
    }
}

extension SlabPool: TableMemory {
    func allocate(tableOf byteCount: Int) throws(OutOfMemory) -> UnsafeMutableRawPointer {
        unsafe try allocate(byteCount)
    }
}

/// Plain values by their hash: open addressing with linear probing, in a power of two of places of which at
/// most half are in use. Empty, it holds no memory.
///
/// SAFETY: `places` has `capacity` entries, all of them initialised; nil with none.
@safe
struct HashTable<Entry: TableEntry> {
    private(set) var places: UnsafeMutablePointer<Entry>?
    private(set) var capacity: UInt32 = 0
    private(set) var count: UInt32 = 0

    init() {}

    /// One whose parts were kept apart.
    @unsafe init(places: UnsafeMutablePointer<Entry>?, capacity: UInt32, count: UInt32) {
        unsafe self.places = places
        self.capacity = capacity
        self.count = count
    }

    /// Where the entry with this hash is that somebody wants.
    @inline(__always)
    func place(of hash: UInt32, where isWanted: (Entry) -> Bool) -> UInt32? {
        guard let places = unsafe places else { return nil }
        let mask = capacity &- 1
        var place = hash & mask
        while true {
            let entry = unsafe places[Int(place)]
            if entry.isEmpty { return nil }
            if isWanted(entry) { return place }
            place = (place &+ 1) & mask
        }
    }

    @inline(__always)
    func entry(at place: UInt32) -> Entry {
        assert(place < capacity)
        return unsafe places.unsafelyUnwrapped[Int(place)]
    }

    /// The first place from here on that is in use.
    func usedPlace(from start: UInt32) -> UInt32? {
        var place = start
        while place < capacity {
            if unsafe !places.unsafelyUnwrapped[Int(place)].isEmpty { return place }
            place &+= 1
        }
        return nil
    }

    /// Without memory nothing is put in.
    mutating func insert(_ entry: Entry, from memory: some TableMemory) throws(OutOfMemory) {
        if (count + 1) * 2 > capacity { try grow(memory) }
        put(entry)
        count += 1
    }

    /// Empties a place and moves up those behind it that had to make way for what stood there.
    mutating func remove(at place: UInt32, to memory: some TableMemory) {
        let places = unsafe places.unsafelyUnwrapped
        let mask = capacity &- 1
        var gap = place
        unsafe places[Int(gap)] = .empty
        var next = (gap &+ 1) & mask
        while unsafe !places[Int(next)].isEmpty {
            let home = unsafe places[Int(next)].hash & mask
            if (next &- home) & mask >= (next &- gap) & mask {
                unsafe places[Int(gap)] = unsafe places[Int(next)]
                unsafe places[Int(next)] = .empty
                gap = next
            }
            next = (next &+ 1) & mask
        }
        count -= 1
        if count == 0 { release(to: memory) }
    }

    mutating func release(to memory: some TableMemory) {
        if let places = unsafe places {
            unsafe memory.free(places, Int(capacity) * MemoryLayout<Entry>.stride)
        }
        self = HashTable()
    }

    private func put(_ entry: Entry) {
        let mask = capacity &- 1
        var place = entry.hash & mask
        while unsafe !places.unsafelyUnwrapped[Int(place)].isEmpty { place = (place &+ 1) & mask }
        unsafe places.unsafelyUnwrapped[Int(place)] = entry
    }

    private mutating func grow(_ memory: some TableMemory) throws(OutOfMemory) {
        let old = self
        let grown = max(4, old.capacity * 2)
        let fresh = unsafe try memory.allocate(tableOf: Int(grown) * MemoryLayout<Entry>.stride)
            .assumingMemoryBound(to: Entry.self)
        capacity = grown
        unsafe fresh.initialize(repeating: .empty, count: Int(capacity))
        unsafe places = fresh
        guard let oldPlaces = unsafe old.places else { return }
        for i in 0..<Int(old.capacity) where unsafe !oldPlaces[i].isEmpty {
            unsafe put(oldPlaces[i])
        }
        unsafe memory.free(oldPlaces, Int(old.capacity) * MemoryLayout<Entry>.stride)
    }
}
