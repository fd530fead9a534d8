import Glibc

/// Names a slot of a slab: where it is, and which of its tenants is meant.
struct SlabHandle: BitwiseCopyable, Hashable {
    var index: UInt32
    var generation: UInt32

    /// Names no slot of any slab.
    static var none: SlabHandle { SlabHandle(index: .max, generation: .max) }
}

/// Slots for one type at addresses that never change, in pages that are never unmapped while the
/// slab lives; a freed slot goes to the next tenant with a new generation.
///
/// SAFETY: one thread takes and frees slots. Others may read what the element itself makes safe to
/// read (its atomics), because a page stays mapped and a slot's element stays initialised.
@safe
struct Slab<Element: ~Copyable> {
    private static var pageShift: Int { 8 }
    private static var pageCountMax: Int { 1 << 14 }
    private static var pageBytes: Int { MemoryLayout<Element>.stride << pageShift }

    /// It never has more.
    static var slotsMax: Int { pageCountMax << pageShift }

    /// SAFETY: `budget` is retained until `destroy()`.
    @safe
    private struct State {
        var count = 0
        var live = 0
        /// The free slots, as a stack with room for all of them, so that giving one back never allocates.
        var free: GrowableBuffer<UInt32>
        let budget: Unmanaged<MemoryBudget>
    }

    private let pages: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>
    private let state: StablePointer<State>

    /// - Parameter budget: what its pages count in.
    init(budget: MemoryBudget) {
        unsafe pages = .allocate(capacity: Self.pageCountMax)
        unsafe pages.initialize(repeating: nil, count: Self.pageCountMax)
        state = unsafe StablePointer(
            allocating: State(
                free: GrowableBuffer(budget: budget), budget: .passRetained(budget)))
    }

    /// The slots in use.
    var liveCount: Int { state.pointee.live }
    /// One past the highest slot that was ever in use.
    var endIndex: Int { state.pointee.count }

    /// A slot that is or was in use.
    @inline(__always)
    subscript(_ index: Int) -> StablePointer<Element> {
        // SAFETY: slots below the end are in pages that are there, and initialised.
        assert(index >= 0 && index < endIndex)
        return unsafe StablePointer(
            pages[index >> Self.pageShift].unsafelyUnwrapped + (index & ((1 << Self.pageShift) - 1))
        )
    }

    /// A free slot: its element is the last tenant's, or fresh from `make` in a new page.
    /// nil at 4 Mi slots, the limit of the slab, and when the system has no memory for more.
    mutating func take(_ make: (Int) -> Element) -> Int? {
        if let index = state.pointee.free.popLast() {
            state.pointee.live += 1
            return Int(index)
        }
        let index = state.pointee.count
        let page = index >> Self.pageShift
        guard page < Self.pageCountMax else { return nil }
        if unsafe pages[page] == nil {
            let size = 1 << Self.pageShift
            guard state.pointee.free.reserve(index + size),
                let memory = unsafe SystemMemory.map(Self.pageBytes)
            else { return nil }
            unsafe state.pointee.budget.takeUnretainedValue().charge(Self.pageBytes)
            let fresh = unsafe memory.bindMemory(to: Element.self, capacity: size)
            for i in 0..<size { unsafe (fresh + i).initialize(to: make(index + i)) }
            unsafe pages[page] = unsafe fresh
        }
        state.pointee.count += 1
        state.pointee.live += 1
        return index
    }

    func give(back index: Int) {
        // Each is given back once.
        assert(state.pointee.live > 0 && index < endIndex)
        state.pointee.free.append(UInt32(truncatingIfNeeded: index))
        state.pointee.live -= 1
    }

    func destroy() {
        for page in 0..<Self.pageCountMax {
            guard let elements = unsafe pages[page] else { break }
            unsafe elements.deinitialize(count: 1 << Self.pageShift)
            unsafe munmap(elements, Self.pageBytes)
            unsafe state.pointee.budget.takeUnretainedValue().charge(-Self.pageBytes)
        }
        unsafe pages.deallocate()
        state.pointee.free.destroy()
        unsafe state.pointee.budget.release()
        state.destroy()
    }
}
