import Glibc

/// Blocks of memory in sizes of powers of two, as `BlockPool` has them, from slabs that go back to the system
/// when their last block does: for what many clients may have today and nobody tomorrow. It counts the
/// blocks of each slab, which messages need not pay for.
///
/// SAFETY: a block is handed out once until it is freed with the same byte count; the pool and all its
/// blocks belong to one thread, or to whoever holds the lock beside it.
@safe
struct SlabPool {
    private static let smallestShift = 5
    /// Larger blocks are mapped one by one.
    private static let largestShift = 13
    private static let slabBytes = 1 << 16
    /// Slabs of a size without any block in use that are kept, so that a load that comes and goes does
    /// not map and unmap.
    private static let emptySlabsMax = 2

    /// Stands at the start of its memory, which is aligned to its size.
    ///
    /// SAFETY: `free` is the list of blocks that were given back; those from `fresh` on were never out.
    @safe
    private struct Slab {
        var next: SlabRef?
        var previous: SlabRef?
        var free: UnsafeMutableRawPointer?
        var live = 0
        let shift: Int
        var fresh: Int
        var isFull: Bool { unsafe free == nil && fresh + (1 << shift) > SlabPool.slabBytes }
    }

    private typealias SlabRef = StablePointer<Slab>

    /// SAFETY: the slabs in its lists are mapped until they are taken out; `budget` is retained.
    @safe
    private struct State {
        /// Of each size, those with a block to give.
        var open = InlineArray<14, SlabRef?>(repeating: nil)
        var empty = InlineArray<14, Int>(repeating: 0)
        var full: SlabRef?
        var liveBytes = 0
        var budget: Unmanaged<MemoryBudget>
    }

    private let state: StablePointer<State>

    init(budget: MemoryBudget) {
        state = unsafe StablePointer(allocating: State(budget: .passRetained(budget)))
    }

    /// What is handed out now.
    var liveBytes: Int { state.pointee.liveBytes }

    /// A block of at least `byteCount` bytes, 32-byte aligned, over the budget if need be.
    func allocate(_ byteCount: Int) throws(OutOfMemory) -> UnsafeMutableRawPointer {
        let shift = max(Self.smallestShift, BlockPool.shift(for: byteCount))
        let block =
            unsafe shift > Self.largestShift
            ? try map(1 << shift, alignment: 1)
            : take(from: try slab(with: shift), shift)
        state.pointee.liveBytes += 1 << shift
        return unsafe block
    }

    private func take(from slab: SlabRef, _ shift: Int) -> UnsafeMutableRawPointer {
        if slab.pointee.live == 0 { state.pointee.empty[shift] -= 1 }
        slab.pointee.live += 1
        let block: UnsafeMutableRawPointer
        if let free = unsafe slab.pointee.free {
            unsafe block = unsafe free
            unsafe slab.pointee.free = unsafe free.load(as: UnsafeMutableRawPointer?.self)
        } else {
            unsafe block = unsafe slab.block + slab.pointee.fresh
            slab.pointee.fresh += 1 << shift
        }
        if slab.pointee.isFull {
            remove(slab, from: &state.pointee.open[shift])
            add(slab, to: &state.pointee.full)
        }
        return unsafe block
    }

    func free(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        let shift = max(Self.smallestShift, BlockPool.shift(for: byteCount))
        state.pointee.liveBytes -= 1 << shift
        assert(state.pointee.liveBytes >= 0)
        guard shift <= Self.largestShift else { return unsafe unmap(block, 1 << shift) }
        // SAFETY: the slab's memory is aligned to its size.
        let slab = unsafe SlabRef(
            bits: UInt(bitPattern: block) & ~UInt(Self.slabBytes - 1)
        ).unsafelyUnwrapped
        assert(slab.pointee.shift == shift && slab.pointee.live > 0)
        if slab.pointee.isFull {
            remove(slab, from: &state.pointee.full)
            add(slab, to: &state.pointee.open[shift])
        }
        unsafe block.storeBytes(of: slab.pointee.free, as: UnsafeMutableRawPointer?.self)
        unsafe slab.pointee.free = unsafe block
        slab.pointee.live -= 1
        guard slab.pointee.live == 0 else { return }
        if state.pointee.empty[shift] < Self.emptySlabsMax {
            state.pointee.empty[shift] += 1
        } else {
            remove(slab, from: &state.pointee.open[shift])
            unsafe unmap(slab.block, Self.slabBytes)
        }
    }

    /// Frees every slab; the blocks that are still handed out die with them.
    func destroy() {
        for shift in Self.smallestShift...Self.largestShift {
            unmapAll(state.pointee.open[shift])
        }
        unmapAll(state.pointee.full)
        unsafe state.pointee.budget.release()
        state.destroy()
    }

    private func unmapAll(_ list: SlabRef?) {
        var next = list
        while let slab = next {
            next = slab.pointee.next
            unsafe unmap(slab.block, Self.slabBytes)
        }
    }

    // MARK: Slabs

    /// One that has a block to give.
    private func slab(with shift: Int) throws(OutOfMemory) -> SlabRef {
        if let slab = state.pointee.open[shift] { return slab }
        return try makeSlab(shift)
    }

    private func makeSlab(_ shift: Int) throws(OutOfMemory) -> SlabRef {
        let memory = unsafe try map(Self.slabBytes, alignment: Self.slabBytes)
        let headerBytes = max(MemoryLayout<Slab>.stride, 1 << shift)
        // Blocks of 32 bytes start behind a header of 64.
        let fresh = (headerBytes + (1 << shift) - 1) & ~((1 << shift) - 1)
        let slab = unsafe SlabRef(in: memory, Slab(free: nil, shift: shift, fresh: fresh))
        state.pointee.empty[shift] += 1
        add(slab, to: &state.pointee.open[shift])
        return slab
    }

    private func add(_ slab: SlabRef, to list: inout SlabRef?) {
        slab.pointee.previous = nil
        slab.pointee.next = list
        list?.pointee.previous = slab
        list = slab
    }

    private func remove(_ slab: SlabRef, from list: inout SlabRef?) {
        slab.pointee.next?.pointee.previous = slab.pointee.previous
        if let previous = slab.pointee.previous {
            previous.pointee.next = slab.pointee.next
        } else {
            list = slab.pointee.next
        }
    }

    private func map(
        _ byteCount: Int, alignment: Int
    ) throws(OutOfMemory) -> UnsafeMutableRawPointer {
        guard let pages = unsafe SystemMemory.map(byteCount, alignment: alignment) else {
            throw OutOfMemory()
        }
        unsafe state.pointee.budget.takeUnretainedValue().reserveAlways(byteCount)
        return unsafe pages
    }

    @inline(never)
    private func unmap(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) {
        unsafe SystemMemory.giveBack(memory, byteCount)
        unsafe state.pointee.budget.takeUnretainedValue().release(byteCount)
    }
}
