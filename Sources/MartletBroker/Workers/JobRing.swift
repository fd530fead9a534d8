import Synchronization

/// A queue of fixed size from one thread to another: neither waits for the other, takes a lock or
/// allocates.
///
/// SAFETY: one thread pushes, one pops. A slot is written before `tail` says so and read before `head`
/// does, with acquire and release between; elements are plain values.
@safe
struct JobRing<Element: BitwiseCopyable>: ~Copyable {
    private let slots: UnsafeMutablePointer<Element>
    private let capacity: Int
    /// Slots that were taken, and slots that were filled, since the start. Each on cache lines of its own.
    private let head = StablePointer(onLinesOfItsOwn: Atomic<Int>(0))
    private let tail = StablePointer(onLinesOfItsOwn: Atomic<Int>(0))

    /// Room for `capacity` elements.
    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        unsafe slots = .allocate(capacity: capacity)
    }

    deinit {
        unsafe slots.deallocate()
        head.destroy()
        tail.destroy()
    }

    /// The pushing thread's.
    var isFull: Bool {
        tail.pointee.load(ordering: .relaxed) &- head.pointee.load(ordering: .acquiring) >= capacity
    }

    /// The popping thread's.
    var isEmpty: Bool {
        tail.pointee.load(ordering: .acquiring) == head.pointee.load(ordering: .relaxed)
    }

    /// False when it is full.
    func push(_ element: Element) -> Bool {
        guard !isFull else { return false }
        let place = tail.pointee.load(ordering: .relaxed)
        unsafe (slots + place % capacity).initialize(to: element)
        tail.pointee.store(place &+ 1, ordering: .releasing)
        return true
    }

    func pop() -> Element? {
        guard !isEmpty else { return nil }
        let place = head.pointee.load(ordering: .relaxed)
        let element = unsafe slots[place % capacity]
        head.pointee.store(place &+ 1, ordering: .releasing)
        return element
    }
}
