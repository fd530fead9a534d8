/// Slabs of small blocks whose blocks are all idle go back to the system when memory is short: what served small
/// blocks can then serve large ones. Messages pay nothing for it, since nobody counts the blocks of a slab before:
/// the idle blocks of a size are sorted by their slabs, some at a time.
extension BlockPool {
    /// Stands at the start of a slab, which is aligned to its size.
    ///
    /// SAFETY: `idle` and `lastIdle` are the ends of a list of blocks of this slab that are in no other list.
    @safe
    struct SlabHeader {
        var next: SlabRef?
        var previous: SlabRef?
        /// Of those whose blocks are being sorted.
        var nextSorted: SlabRef?
        var idle: UnsafeMutableRawPointer?
        var lastIdle: UnsafeMutableRawPointer?
        var idleCount: Int32 = 0
        let shift: Int32

        static func bytes(_ shift: Int) -> Int { max(1 << shift, 64) }
        var blockCount: Int32 {
            Int32((BlockPool.slabBytes - Self.bytes(Int(shift))) >> Int(shift))
        }
    }

    typealias SlabRef = StablePointer<SlabHeader>

    /// SAFETY: `unsorted` is a list of idle blocks of two to the power of `shift` bytes, `sorted` one of slabs of
    /// such blocks.
    @safe
    struct Sorting {
        /// The size that is being sorted; below `smallestShift` none is.
        var shift = BlockPool.smallestShift - 1
        var unsorted: UnsafeMutableRawPointer?
        var sorted: SlabRef?

        var isUnderWay: Bool { shift >= BlockPool.smallestShift }
    }

    /// Whether sizes are left that `sortIdleBlocks` has not looked at.
    var isSorting: Bool { state.pointee.sorting.isUnderWay }

    /// Looks at so many idle blocks and slabs, size by size, and gives slabs back that are idle as a whole.
    func sortIdleBlocks(atMost count: Int) {
        if !isSorting { beginSorting(Self.smallestShift) }
        for _ in 0..<count {
            if let block = unsafe takeUnsorted() {
                unsafe sort(block)
            } else if let slab = takeSorted() {
                settle(slab)
            } else {
                let next = state.pointee.sorting.shift + 1
                guard next < Self.slabShift else {
                    state.pointee.sorting.shift = Self.smallestShift - 1
                    return
                }
                beginSorting(next)
            }
        }
    }

    /// A block of the size that is being sorted; nil if it is another size, or there is none.
    func takeFromSorting(_ shift: Int) -> UnsafeMutableRawPointer? {
        guard shift == state.pointee.sorting.shift else { return nil }
        if let block = unsafe takeUnsorted() { return unsafe block }
        guard let slab = takeSorted() else { return nil }
        putBack(slab)
        return unsafe takeFree(shift)
    }

    private func beginSorting(_ shift: Int) {
        state.pointee.sorting.shift = shift
        unsafe state.pointee.sorting.unsorted = unsafe state.pointee.free[shift]
        unsafe state.pointee.free[shift] = nil
    }

    private func takeUnsorted() -> UnsafeMutableRawPointer? {
        guard let block = unsafe state.pointee.sorting.unsorted else { return nil }
        unsafe state.pointee.sorting.unsorted = unsafe block.load(as: UnsafeMutableRawPointer?.self)
        return unsafe block
    }

    private func takeSorted() -> SlabRef? {
        guard let slab = state.pointee.sorting.sorted else { return nil }
        state.pointee.sorting.sorted = slab.pointee.nextSorted
        return slab
    }

    private func sort(_ block: UnsafeMutableRawPointer) {
        // SAFETY: the block was cut from a slab, which is aligned to its size.
        let slab = unsafe SlabRef(
            bits: UInt(bitPattern: block) & ~UInt(Self.slabBytes - 1)
        ).unsafelyUnwrapped
        assert(Int(slab.pointee.shift) == state.pointee.sorting.shift)
        if slab.pointee.idleCount == 0 {
            unsafe slab.pointee.lastIdle = unsafe block
            slab.pointee.nextSorted = state.pointee.sorting.sorted
            state.pointee.sorting.sorted = slab
        }
        unsafe block.storeBytes(of: slab.pointee.idle, as: UnsafeMutableRawPointer?.self)
        unsafe slab.pointee.idle = unsafe block
        slab.pointee.idleCount += 1
        assert(slab.pointee.idleCount <= slab.pointee.blockCount)
    }

    private func settle(_ slab: SlabRef) {
        guard slab.pointee.idleCount == slab.pointee.blockCount else { return putBack(slab) }
        if let previous = slab.pointee.previous {
            previous.pointee.next = slab.pointee.next
        } else {
            state.pointee.slabs = slab.pointee.next
        }
        slab.pointee.next?.pointee.previous = slab.pointee.previous
        unsafe giveBack(slab.block, Self.slabShift)
    }

    /// Its idle blocks are free again.
    private func putBack(_ slab: SlabRef) {
        guard let last = unsafe slab.pointee.lastIdle else { return }
        let shift = Int(slab.pointee.shift)
        unsafe last.storeBytes(
            of: state.pointee.free[shift], as: UnsafeMutableRawPointer?.self)
        unsafe state.pointee.free[shift] = unsafe slab.pointee.idle
        unsafe slab.pointee.idle = nil
        unsafe slab.pointee.lastIdle = nil
        slab.pointee.idleCount = 0
    }
}
