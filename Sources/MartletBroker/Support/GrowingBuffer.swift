/// A growing array of plain values. Adding one allocates only when it is full: whoever must not allocate
/// makes room before.
///
/// SAFETY: `items` has room for `capacity` values, the first `count` of them are initialised, and no
/// index goes beyond. One thread uses it, and destroys it when nothing else does.
@safe
struct GrowingBuffer<Element: BitwiseCopyable> {
    private(set) var items: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 64) {
        assert(capacity > 0)
        unsafe items = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    @inline(__always)
    mutating func append(_ item: Element) {
        if count == capacity { reserve(count + 1) }
        unsafe items[count] = item
        count &+= 1
    }

    @inline(__always)
    mutating func removeAll() { count = 0 }

    /// The last one, which there is.
    @inline(__always)
    mutating func removeLast() -> Element {
        assert(count > 0)
        count &-= 1
        return unsafe items[count]
    }

    /// Takes out those from `start` up to `end`.
    mutating func remove(from start: Int, to end: Int) {
        assert(start >= 0 && start <= end && end <= count)
        for i in end..<count { unsafe items[start + i - end] = unsafe items[i] }
        count -= end - start
    }

    /// Takes out the first `taken`, which were dealt with; what was added meanwhile stays.
    mutating func removeFirst(_ taken: Int) { remove(from: 0, to: taken) }

    /// Room for this many at least, and for twice as many as before.
    @inline(never)
    mutating func reserve(_ wanted: Int) {
        guard wanted > capacity else { return }
        let wanted = max(wanted, capacity * 2)
        let grown = UnsafeMutablePointer<Element>.allocate(capacity: wanted)
        unsafe grown.update(from: items, count: count)
        unsafe items.deallocate()
        unsafe items = grown
        capacity = wanted
    }

    func destroy() { unsafe items.deallocate() }
}

/// Slots, of connections for example.
typealias HandleList = GrowingBuffer<SlabHandle>
