/// Plain values in a row that grows by doubling and keeps its room when it is emptied: once it is as large
/// as a load needs, adding allocates nothing. Freed by `destroy()`, so that it can be a part of
/// state behind a pointer.
///
/// SAFETY: `items` holds `capacity` elements, the first `count` of them initialised; one thread.
@safe
struct GrowableBuffer<Element: BitwiseCopyable> {
    private(set) var items: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private(set) var capacity: Int

    init(capacity: Int = 64) {
        self.capacity = capacity
        unsafe items = .allocate(capacity: capacity)
    }

    @inline(__always)
    subscript(_ index: Int) -> Element {
        get {
            assert(index >= 0 && index < count)
            return unsafe items[index]
        }
        nonmutating set {
            assert(index >= 0 && index < count)
            unsafe items[index] = newValue
        }
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { reserve(capacity * 2) }
        unsafe (items + count).initialize(to: element)
        count &+= 1
    }

    @inline(__always)
    mutating func popLast() -> Element? {
        guard count > 0 else { return nil }
        count &-= 1
        return unsafe items[count]
    }

    @inline(__always)
    mutating func removeAll() { count = 0 }

    /// Empty, and with no more room than this: one large use does not hold its memory for ever.
    mutating func removeAll(keepingAtMost capacityMax: Int) {
        count = 0
        guard capacity > capacityMax else { return }
        unsafe items.deallocate()
        unsafe items = .allocate(capacity: capacityMax)
        capacity = capacityMax
    }

    /// Takes out those from `start` up to `end`; the later ones move up.
    mutating func remove(from start: Int, to end: Int) {
        assert(start >= 0 && start <= end && end <= count)
        for i in end..<count { unsafe items[start + i - end] = unsafe items[i] }
        count -= end - start
    }

    /// Takes out the first `taken`, which were dealt with; what was added meanwhile stays.
    mutating func removeFirst(_ taken: Int) { remove(from: 0, to: taken) }

    /// Room for as many without growing; at least twice as much as before, if it grows.
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

/// Slots, of connections for example. `reserveLists` of `BrokerLoop` makes room when slots are made.
typealias HandleList = GrowableBuffer<SlabHandle>
