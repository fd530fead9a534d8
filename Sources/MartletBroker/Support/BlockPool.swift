import Glibc

/// Blocks of memory in sizes of powers of two, recycled by their owner without a lock.
///
/// Memory comes from one reserve of addresses that is taken when the pool is made and touched as it
/// is needed: how many blocks are out at once depends on timing, so a new height may come at any
/// hour, and must not cost a call then. What does not fit any more is allocated one by one.
///
/// Small blocks are cut from slabs of 64 KiB. Of the larger ones that are not from the reserve, up
/// to `idleBytesMax` are kept for reuse, more go back to the system: a burst does not hold its
/// memory for ever.
///
/// SAFETY: a block is handed out once until it is freed with the same byte count; the pool and
/// all its blocks belong to one thread, or to whoever holds the lock beside it.
@safe
struct BlockPool {
    private static let smallestShift = 5
    private static let largestShift = 30
    private static let slabShift = 16

    /// SAFETY: `free` has a list for every size; a block in a list is idle, and its first word is
    /// the list's link.
    @safe
    private struct State {
        var free: UnsafeMutablePointer<UnsafeMutableRawPointer?>
        var slabs: UnsafeMutableRawPointer?
        var idleLargeBytes = 0
        var budget: Unmanaged<MemoryBudget>
        #if DEBUG
        var liveBytes = 0
        #endif
        /// Addresses without memory behind them yet; nil when the system refused them.
        let reserve: UnsafeMutableRawPointer?
        var reserveUsed = 0
    }

    private let state: StablePointer<State>
    /// Free blocks of 64 KiB and more that are kept rather than given back.
    static let idleBytesMax = 64 << 20
    /// From here on blocks are mapped one by one. glibc maps large ones too, but only until the first
    /// is freed: then it takes them from its heap, whose gaps are memory that no budget knows of
    /// (191 MiB resident with 128 in use, once).
    private static let mappedBytesMin = 256 << 10
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
                reserve: Self.mapped(Self.reserveBytes, flags: MAP_NORESERVE)))
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
        if let block = unsafe state.pointee.free[shift] {
            unsafe state.pointee.free[shift] = unsafe block.load(as: UnsafeMutableRawPointer?.self)
            if shift >= Self.slabShift { state.pointee.idleLargeBytes -= 1 << shift }
            return unsafe block
        }
        if let block = unsafe allocateFresh(shift, always: false) { return unsafe block }
        recordLive(-1 << shift)
        return nil
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

    /// As `allocate`, for what must not fail: it goes over the budget rather than lose a subscription.
    @inline(__always)
    func allocateAlways(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if let block = unsafe allocate(byteCount) { return unsafe block }
        let shift = Self.shift(for: byteCount)
        guard let block = unsafe allocateFresh(shift, always: true) else {
            Self.failForLackOf(byteCount)
        }
        recordLive(1 << shift)
        return unsafe block
    }

    @inline(never)
    private static func failForLackOf(_ byteCount: Int) -> Never {
        fatalError("out of memory: \(byteCount) bytes")
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
    private func allocateFresh(_ shift: Int, always: Bool) -> UnsafeMutableRawPointer? {
        guard shift <= Self.largestShift else { return nil }
        guard shift < Self.slabShift else { return unsafe fromSystem(1 << shift, always: always) }
        guard let slab = unsafe fromSystem(1 << Self.slabShift, always: always) else { return nil }
        // Small slabs live as long as the pool: their list is threaded through the first block.
        let size = max(1 << shift, 32)
        let count = (1 << Self.slabShift) / size
        unsafe slab.storeBytes(of: state.pointee.slabs, as: UnsafeMutableRawPointer?.self)
        unsafe state.pointee.slabs = unsafe slab
        for i in stride(from: count - 1, through: 2, by: -1) {
            let block = unsafe slab + i * size
            unsafe block.storeBytes(
                of: state.pointee.free[shift], as: UnsafeMutableRawPointer?.self)
            unsafe state.pointee.free[shift] = unsafe block
        }
        return unsafe slab + size
    }

    @inline(never)
    private func fromSystem(_ byteCount: Int, always: Bool) -> UnsafeMutableRawPointer? {
        let budget = unsafe state.pointee.budget.takeUnretainedValue()
        if !budget.reserve(byteCount) {
            guard always || reclaimIdle(byteCount, budget) else { return nil }
            budget.reserveAlways(byteCount)
        }
        if let block = unsafe fromReserve(byteCount) { return unsafe block }
        let block =
            unsafe byteCount < Self.mappedBytesMin
            ? aligned_alloc(64, byteCount)
            : Self.mapped(byteCount, flags: 0)
        if unsafe block == nil { budget.release(byteCount) }
        return unsafe block
    }

    /// Zeroed pages of the system's own choice of address; nil when it refuses.
    private static func mapped(_ byteCount: Int, flags: Int32) -> UnsafeMutableRawPointer? {
        let pages = unsafe mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0)
        return unsafe pages == MAP_FAILED ? nil : pages
    }

    /// Gives every idle large block back to the system.
    func giveBackIdle() {
        _ = unsafe reclaimIdle(.max / 2, state.pointee.budget.takeUnretainedValue())
    }

    /// A power of two of at least a slab's size, so that every block is aligned to its slab.
    private func fromReserve(_ byteCount: Int) -> UnsafeMutableRawPointer? {
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
        for shift in stride(from: Self.largestShift, through: Self.slabShift, by: -1) {
            while let block = unsafe state.pointee.free[shift] {
                unsafe state.pointee.free[shift] = unsafe block.load(
                    as: UnsafeMutableRawPointer?.self)
                state.pointee.idleLargeBytes -= 1 << shift
                unsafe giveBack(block, shift)
                if budget.usedBytes + byteCount <= budget.bytesMax { return true }
            }
        }
        return false
    }

    @inline(never)
    private func giveBack(_ block: UnsafeMutableRawPointer, _ shift: Int) {
        if unsafe isReserved(block) {
            // The memory goes back; its addresses are not used again.
            unsafe madvise(block, 1 << shift, MADV_DONTNEED)
        } else if 1 << shift >= Self.mappedBytesMin {
            unsafe munmap(block, 1 << shift)
        } else {
            unsafe Glibc.free(block)
        }
        unsafe state.pointee.budget.takeUnretainedValue().release(1 << shift)
    }

    /// Frees every slab and idle block. Blocks still handed out from slabs die with them.
    func destroy() {
        giveBackIdle()
        while let slab = unsafe state.pointee.slabs {
            unsafe state.pointee.slabs = unsafe slab.load(as: UnsafeMutableRawPointer?.self)
            unsafe giveBack(slab, Self.slabShift)
        }
        if let reserve = unsafe state.pointee.reserve { unsafe munmap(reserve, Self.reserveBytes) }
        unsafe state.pointee.free.deallocate()
        unsafe state.pointee.budget.release()
        state.destroy()
    }
}
