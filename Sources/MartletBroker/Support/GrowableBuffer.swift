import Glibc

/// Plain values in a row that grows by doubling and keeps its room when it is emptied: once it is as large
/// as a load needs, adding allocates nothing. Freed by `destroy()`, so that it can be a part of
/// state behind a pointer. With a budget, what it grows by counts there.
///
/// SAFETY: `items` holds `capacity` elements, the first `count` of them initialised; one thread.
@safe
struct GrowableBuffer<Element: BitwiseCopyable> {
    private(set) var items: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private(set) var capacity: Int
    /// Something was not added for lack of memory since it was last emptied.
    private(set) var isIncomplete = false
    private let budget: Unmanaged<MemoryBudget>?

    init(capacity: Int = 64, budget: MemoryBudget? = nil) {
        self.capacity = capacity
        unsafe self.budget = unsafe budget.map { unsafe .passRetained($0) }
        unsafe items = Self.block(of: capacity).unsafelyUnwrapped
        charge(capacity)
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
        if count == capacity { reserveAlways(capacity * 2) }
        unsafe (items + count).initialize(to: element)
        count &+= 1
    }

    /// Adds it, or says that it is incomplete when there is no memory.
    @inline(__always)
    mutating func appendIfRoom(_ element: Element) {
        if count == capacity, !reserve(capacity * 2) {
            isIncomplete = true
            return
        }
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
    mutating func removeAll() {
        count = 0
        isIncomplete = false
    }

    /// Empty, and with no more room than this: one large use does not hold its memory for ever.
    mutating func removeAll(keepingAtMost capacityMax: Int) {
        removeAll()
        guard capacity > capacityMax, let block = unsafe Self.block(of: capacityMax) else { return }
        unsafe replace(with: block, capacityMax)
    }

    /// Takes out those from `start` up to `end`; the later ones move up.
    mutating func remove(from start: Int, to end: Int) {
        assert(start >= 0 && start <= end && end <= count)
        for i in end..<count { unsafe items[start + i - end] = unsafe items[i] }
        count -= end - start
    }

    /// Takes out the first `taken`, which were dealt with; what was added meanwhile stays.
    mutating func removeFirst(_ taken: Int) { remove(from: 0, to: taken) }

    /// Room for as many without growing; at least twice as much as before, if it grows. False when there is no
    /// memory for that.
    @inline(never)
    mutating func reserve(_ wanted: Int) -> Bool {
        guard wanted > capacity else { return true }
        let wanted = max(wanted, capacity * 2)
        guard SystemMemory.hasRoom(for: wanted * MemoryLayout<Element>.stride),
            let grown = unsafe Self.block(of: wanted)
        else { return false }
        unsafe replace(with: grown, wanted)
        return true
    }

    /// For what is small, or has its room already: out of the memory that is kept back.
    @inline(never)
    private mutating func reserveAlways(_ wanted: Int) {
        guard let grown = unsafe Self.block(of: wanted) else {
            fatalError("out of memory: \(wanted * MemoryLayout<Element>.stride) bytes")
        }
        unsafe replace(with: grown, wanted)
    }

    private mutating func replace(with block: UnsafeMutablePointer<Element>, _ capacity: Int) {
        unsafe block.update(from: items, count: count)
        unsafe Glibc.free(items)
        charge(capacity - self.capacity)
        unsafe items = block
        self.capacity = capacity
    }

    private static func block(of capacity: Int) -> UnsafeMutablePointer<Element>? {
        assert(MemoryLayout<Element>.alignment <= 16)
        return unsafe malloc(capacity * MemoryLayout<Element>.stride)?
            .bindMemory(to: Element.self, capacity: capacity)
    }

    private func charge(_ elements: Int) {
        guard let budget = unsafe budget else { return }
        unsafe budget._withUnsafeGuaranteedRef {
            $0.charge(elements * MemoryLayout<Element>.stride)
        }
    }

    func destroy() {
        charge(-capacity)
        unsafe Glibc.free(items)
        unsafe budget?.release()
    }
}

/// Slots, of connections for example. `reserveLists` of `BrokerLoop` makes room when slots are made.
typealias HandleList = GrowableBuffer<SlabHandle>
