import Glibc

/// Blocks of memory in sizes of powers of two, recycled by their owner without a lock.
///
/// Memory comes from one reserve of addresses that is taken when the pool is made and touched as it
/// is needed: how many blocks are out at once depends on timing, so a new height may come at any
/// hour, and must not cost a call then. What does not fit any more is allocated one by one.
///
/// Small blocks are cut from slabs of 64 KiB, which go back only when memory is short. Of the larger ones that are not from the reserve, up
/// to `idleBytesMax` are kept for reuse, more go back to the system at once, and whatever lies idle for a
/// while: a burst does not hold its memory for ever.
///
/// SAFETY: a block is handed out once until it is freed with the same byte count; the pool and
/// all its blocks belong to one thread, or to whoever holds the lock beside it.
@safe
struct BlockPool {
    static let smallestShift = 5
    private static let largestShift = 30
    static let slabShift = 16
    static let slabBytes = 1 << slabShift

    /// SAFETY: `free` has a list for every size; a block in a list is idle, and its first word is
    /// the list's link.
    @safe
    struct State {
        var free: UnsafeMutablePointer<UnsafeMutableRawPointer?>
        var slabs: SlabRef?
        var sorting = Sorting()
        var idleLargeBytes = 0
        var budget: Unmanaged<MemoryBudget>
        #if DEBUG
        var liveBytes = 0
        #endif
        /// Addresses without memory behind them yet; nil when the system refused them.
        let reserve: UnsafeMutableRawPointer?
        var reserveUsed = 0
        /// Blocks whose memory was given back, and their addresses kept.
        var vacated = GrowableBuffer<VacatedBlock>()
        /// The least that was idle since `giveBackUnused` was last called.
        var idleLargeBytesMin = 0
    }

    /// A block without memory behind it, mostly of the reserve.
    ///
    /// SAFETY: `block` is mapped, and nobody else has it.
    @safe
    struct VacatedBlock: BitwiseCopyable {
        let block: UnsafeMutableRawPointer
        let shift: Int
    }

    let state: StablePointer<State>
    /// Free blocks of 64 KiB and more that are kept rather than given back.
    static let idleBytesMax = 64 << 20
    /// Addresses, not memory: 64 MiB a loop is nothing of 128 TiB.
    private static let reserveBytes = 64 << 20

    init(budget: MemoryBudget) {
        // A list for every size there can be, those that are refused too: asking needs no check then.
        let free = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(
            capacity: Int.bitWidth + 1)
        unsafe free.initialize(repeating: nil, count: Int.bitWidth + 1)
        state = unsafe StablePointer(
            allocating: State(
                free: free, slabs: nil, budget: .passRetained(budget),
                reserve: SystemMemory.reserve(
                    Self.reserveBytes, alignment: Self.slabBytes)))
    }

    /// The size a request of `byteCount` really gets.
    @inline(__always)
    static func capacity(for byteCount: Int) -> Int { 1 << shift(for: byteCount) }

    /// What a block of `byteCount` bytes is called where the size is kept: it is two to that power.
    @inline(__always)
    static func shift(for byteCount: Int) -> Int {
        max(smallestShift, Int.bitWidth - (byteCount - 1).leadingZeroBitCount)
    }

    /// A block of at least `byteCount` bytes, 32-byte aligned or better; nil when the budget is spent.
    @inline(__always)
    func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        unsafe allocate(shift: Self.shift(for: byteCount))
    }

    /// The same for a size that is known by its power of two.
    @inline(__always)
    func allocate(shift: Int) -> UnsafeMutableRawPointer? {
        recordLive(1 << shift)
        if let block = unsafe takeFree(shift) {
            if shift >= Self.slabShift { recordReuse(shift) }
            return unsafe block
        }
        if let block = unsafe allocateFresh(shift, overBudget: false) { return unsafe block }
        recordLive(-1 << shift)
        return nil
    }

    @inline(__always)
    func takeFree(_ shift: Int) -> UnsafeMutableRawPointer? {
        guard let block = unsafe state.pointee.free[shift] else { return nil }
        unsafe state.pointee.free[shift] = unsafe block.load(as: UnsafeMutableRawPointer?.self)
        return unsafe block
    }

    @inline(never)
    private func recordReuse(_ shift: Int) {
        state.pointee.idleLargeBytes -= 1 << shift
        state.pointee.idleLargeBytesMin = min(
            state.pointee.idleLargeBytesMin, state.pointee.idleLargeBytes)
    }

    /// Tests look whether every block came back; a release build does not count.
    @inline(__always)
    private func recordLive(_ byteCount: Int) {
        #if DEBUG
        state.pointee.liveBytes += byteCount
        #endif
    }

    #if DEBUG
    /// What is handed out now.
    var liveBytes: Int { state.pointee.liveBytes }
    #endif

    /// As `allocate`, over the budget if need be; nil when the system has no memory.
    @inline(never)
    func allocateOverBudget(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        if let block = unsafe allocate(byteCount) { return unsafe block }
        let shift = Self.shift(for: byteCount)
        guard let block = unsafe allocateFresh(shift, overBudget: true) else { return nil }
        recordLive(1 << shift)
        return unsafe block
    }

    @inline(__always)
    func free(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        unsafe free(block, shift: Self.shift(for: byteCount))
    }

    @inline(__always)
    func free(_ block: UnsafeMutableRawPointer, shift: Int) {
        recordLive(-1 << shift)
        if shift >= Self.slabShift {
            if state.pointee.idleLargeBytes + (1 << shift) > Self.idleBytesMax,
                unsafe !isReserved(block)
            {
                return unsafe giveBack(block, shift)
            }
            state.pointee.idleLargeBytes += 1 << shift
        }
        unsafe block.storeBytes(of: state.pointee.free[shift], as: UnsafeMutableRawPointer?.self)
        unsafe state.pointee.free[shift] = unsafe block
    }

    @inline(never)
    private func allocateFresh(_ shift: Int, overBudget: Bool) -> UnsafeMutableRawPointer? {
        guard shift <= Self.largestShift else { return nil }
        guard shift < Self.slabShift else {
            return unsafe fromSystem(shift, overBudget: overBudget)
        }
        if let block = unsafe takeFromSorting(shift) { return unsafe block }
        guard let slab = unsafe fromSystem(Self.slabShift, overBudget: overBudget) else {
            return nil
        }
        return unsafe cut(slab, shift)
    }

    /// A slab's first block; the others are idle.
    private func cut(_ memory: UnsafeMutableRawPointer, _ shift: Int) -> UnsafeMutableRawPointer {
        let slab = unsafe SlabRef(
            in: memory, SlabHeader(next: state.pointee.slabs, shift: Int32(shift)))
        state.pointee.slabs?.pointee.previous = slab
        state.pointee.slabs = slab
        let size = 1 << shift
        let first = SlabHeader.bytes(shift)
        for offset in stride(from: Self.slabBytes - size, to: first, by: -size) {
            let block = unsafe memory + offset
            unsafe block.storeBytes(
                of: state.pointee.free[shift], as: UnsafeMutableRawPointer?.self)
            unsafe state.pointee.free[shift] = unsafe block
        }
        return unsafe memory + first
    }

    @inline(never)
    private func fromSystem(_ shift: Int, overBudget: Bool) -> UnsafeMutableRawPointer? {
        let byteCount = 1 << shift
        let budget = unsafe state.pointee.budget.takeUnretainedValue()
        if !budget.reserve(byteCount) {
            guard overBudget || reclaimIdle(byteCount, budget) else { return nil }
            budget.reserveAlways(byteCount)
        }
        if let block = unsafe fromReserve(shift) { return unsafe block }
        // Mapped, also where glibc would take it from its heap: the heap's gaps are memory that no budget knows
        // of (191 MiB resident with 128 in use, once), and addresses that stay taken.
        let alignment = shift == Self.slabShift ? Self.slabBytes : 1
        if let block = unsafe SystemMemory.map(byteCount, alignment: alignment) {
            return unsafe block
        }
        // What lies idle here is memory that the system may give again.
        giveBackIdle()
        if let block = unsafe SystemMemory.map(byteCount, alignment: alignment) {
            return unsafe block
        }
        budget.release(byteCount)
        return nil
    }

    /// Gives every idle large block back to the system.
    func giveBackIdle() {
        reclaimIdle { false }
    }

    /// Gives back as much as has lain idle since this was last called, but for a little; whether more than that
    /// may be idle next time.
    func giveBackUnused() -> Bool {
        let target = max(
            state.pointee.idleLargeBytes - state.pointee.idleLargeBytesMin, Self.unusedBytesKept)
        if state.pointee.idleLargeBytes > target {
            reclaimIdle { state.pointee.idleLargeBytes <= target }
        }
        state.pointee.idleLargeBytesMin = state.pointee.idleLargeBytes
        return state.pointee.idleLargeBytes > Self.unusedBytesKept
    }

    /// Two payloads of a megabyte, one after the other, find their memory again.
    static let unusedBytesKept = 2 << 20

    /// A power of two of at least a slab's size, so that every block is aligned to its slab.
    private func fromReserve(_ shift: Int) -> UnsafeMutableRawPointer? {
        let byteCount = 1 << shift
        for i in 0..<state.pointee.vacated.count where state.pointee.vacated[i].shift == shift {
            let block = unsafe state.pointee.vacated[i].block
            state.pointee.vacated.remove(from: i, to: i + 1)
            return unsafe block
        }
        guard let reserve = unsafe state.pointee.reserve,
            state.pointee.reserveUsed + byteCount <= Self.reserveBytes
        else { return nil }
        defer { state.pointee.reserveUsed += byteCount }
        return unsafe reserve + state.pointee.reserveUsed
    }

    private func isReserved(_ block: UnsafeMutableRawPointer) -> Bool {
        guard let reserve = unsafe state.pointee.reserve else { return false }
        return unsafe block >= reserve && block < reserve + Self.reserveBytes
    }

    /// Gives idle large blocks back until `byteCount` fit into the budget again.
    private func reclaimIdle(_ byteCount: Int, _ budget: MemoryBudget) -> Bool {
        reclaimIdle { budget.usedBytes + byteCount <= budget.bytesMax }
    }

    /// Gives idle large blocks back, the largest first, until that is enough; whether it was.
    @discardableResult
    private func reclaimIdle(until isEnough: () -> Bool) -> Bool {
        for shift in stride(from: Self.largestShift, through: Self.slabShift, by: -1) {
            while let block = unsafe state.pointee.free[shift] {
                unsafe state.pointee.free[shift] = unsafe block.load(
                    as: UnsafeMutableRawPointer?.self)
                state.pointee.idleLargeBytes -= 1 << shift
                unsafe giveBack(block, shift)
                if isEnough() { return true }
            }
        }
        return false
    }

    @inline(never)
    func giveBack(_ block: UnsafeMutableRawPointer, _ shift: Int) {
        if unsafe isReserved(block) {
            unsafe madvise(block, 1 << shift, MADV_DONTNEED)
            unsafe vacate(block, shift)
        } else if unsafe !SystemMemory.giveBack(block, 1 << shift) {
            unsafe vacate(block, shift)
        }
        unsafe state.pointee.budget.takeUnretainedValue().release(1 << shift)
    }

    /// Its memory has gone; its addresses wait for a block of the same size.
    private func vacate(_ block: UnsafeMutableRawPointer, _ shift: Int) {
        unsafe state.pointee.vacated.append(VacatedBlock(block: block, shift: shift))
    }

    /// Frees every slab and idle block. Blocks still handed out from slabs die with them.
    func destroy() {
        giveBackIdle()
        while let slab = state.pointee.slabs {
            state.pointee.slabs = slab.pointee.next
            unsafe giveBack(slab.block, Self.slabShift)
        }
        if let reserve = unsafe state.pointee.reserve { unsafe munmap(reserve, Self.reserveBytes) }
        state.pointee.vacated.destroy()
        unsafe state.pointee.free.deallocate()
        unsafe state.pointee.budget.release()
        state.destroy()
    }
}
