/// A growing list of slots. Its owner makes room when slots are made, so adding never allocates.
///
/// SAFETY: `items` holds `capacity` entries, the first `count` of them initialised; one thread.
@safe
struct HandleList {
    private(set) var items: UnsafeMutablePointer<SlabHandle> = .allocate(capacity: 64)
    private(set) var count = 0
    private var capacity = 64

    @inline(__always)
    mutating func append(_ handle: SlabHandle) {
        if count == capacity { reserve(capacity * 2) }
        unsafe items[count] = handle
        count &+= 1
    }

    @inline(__always)
    mutating func removeAll() { count = 0 }

    /// Takes out those from `start` up to `end`.
    mutating func remove(from start: Int, to end: Int) {
        // SAFETY: only handles that were added are moved.
        assert(0 <= start && start <= end && end <= count)
        for i in end..<count { unsafe items[start + i - end] = unsafe items[i] }
        count -= end - start
    }

    /// Takes out the first `taken`, which were dealt with; what was added meanwhile stays.
    mutating func removeFirst(_ taken: Int) { remove(from: 0, to: taken) }

    @inline(never)
    mutating func reserve(_ wanted: Int) {
        guard wanted > capacity else { return }
        let grown = UnsafeMutablePointer<SlabHandle>.allocate(capacity: wanted)
        unsafe grown.update(from: items, count: count)
        unsafe items.deallocate()
        unsafe items = grown
        capacity = wanted
    }

    func destroy() { unsafe items.deallocate() }
}
