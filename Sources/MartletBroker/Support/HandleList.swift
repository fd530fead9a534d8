/// A growing list of slots. Its owner makes room when slots are made, so adding never allocates.
struct HandleList {
    private(set) var items: UnsafeMutablePointer<SlabHandle> = .allocate(capacity: 64)
    private(set) var count = 0
    private var capacity = 64

    @inline(__always)
    mutating func append(_ handle: SlabHandle) {
        if count == capacity { reserve(capacity * 2) }
        items[count] = handle
        count &+= 1
    }

    @inline(__always)
    mutating func removeAll() { count = 0 }

    /// Takes out the first `taken`, which were dealt with; what was added meanwhile stays.
    mutating func removeFirst(_ taken: Int) {
        for i in taken..<count { items[i - taken] = items[i] }
        count -= taken
    }

    @inline(never)
    mutating func reserve(_ wanted: Int) {
        guard wanted > capacity else { return }
        let grown = UnsafeMutablePointer<SlabHandle>.allocate(capacity: wanted)
        grown.update(from: items, count: count)
        items.deallocate()
        items = grown
        capacity = wanted
    }

    func destroy() { items.deallocate() }
}
