import Glibc

/// Blocks of memory in sizes of powers of two, recycled by their owner without a lock.
///
/// Small blocks are cut from slabs of 64 KiB, so that warming up takes few mallocs; larger ones
/// are allocated one by one. Up to `idleBytesMax` of free large blocks are kept for reuse, more go
/// back to the system: a burst does not hold its memory for ever.
///
/// SAFETY: a block is handed out once until it is freed with the same byte count; the pool and
/// all its blocks belong to one thread, or to whoever holds the lock beside it.
struct BlockPool {
    private static let smallestShift = 5
    private static let largestShift = 30
    private static let slabShift = 16

    private struct State {
        var free: UnsafeMutablePointer<UnsafeMutableRawPointer?>
        var slabs: UnsafeMutableRawPointer?
        var idleLargeBytes = 0
        var budget: Unmanaged<MemoryBudget>
        #if DEBUG
            var liveBytes = 0
        #endif
    }

    private let state: UnsafeMutablePointer<State>
    /// Free blocks of 64 KiB and more that are kept rather than given back.
    static let idleBytesMax = 64 << 20

    init(budget: MemoryBudget) {
        state = .allocate(capacity: 1)
        // A list for every size there can be, those that are refused too: asking needs no check then.
        let free = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: Int.bitWidth + 1)
        free.initialize(repeating: nil, count: Int.bitWidth + 1)
        state.initialize(to: State(free: free, slabs: nil, budget: .passRetained(budget)))
    }

    /// The size a request of `byteCount` really gets.
    @inline(__always)
    static func capacity(for byteCount: Int) -> Int { 1 << shift(for: byteCount) }

    @inline(__always)
    private static func shift(for byteCount: Int) -> Int {
        max(smallestShift, Int.bitWidth - (byteCount - 1).leadingZeroBitCount)
    }

    /// A block of at least `byteCount` bytes, 32-byte aligned or better; nil when the budget is spent.
    @inline(__always)
    func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        let shift = Self.shift(for: byteCount)
        noteLive(1 << shift)
        if let block = state.pointee.free[shift] {
            state.pointee.free[shift] = block.load(as: UnsafeMutableRawPointer?.self)
            if shift >= Self.slabShift { state.pointee.idleLargeBytes -= 1 << shift }
            return block
        }
        if let block = allocateFresh(shift, always: false) { return block }
        noteLive(-1 << shift)
        return nil
    }

    /// Tests look whether every block came back; a release build does not count.
    @inline(__always)
    private func noteLive(_ byteCount: Int) {
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
        if let block = allocate(byteCount) { return block }
        let shift = Self.shift(for: byteCount)
        guard let block = allocateFresh(shift, always: true) else {
            fatalError("out of memory: \(byteCount) bytes")
        }
        noteLive(1 << shift)
        return block
    }

    @inline(__always)
    func free(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        let shift = Self.shift(for: byteCount)
        noteLive(-1 << shift)
        if shift >= Self.slabShift {
            if state.pointee.idleLargeBytes + (1 << shift) > Self.idleBytesMax {
                return giveBack(block, shift)
            }
            state.pointee.idleLargeBytes += 1 << shift
        }
        block.storeBytes(of: state.pointee.free[shift], as: UnsafeMutableRawPointer?.self)
        state.pointee.free[shift] = block
    }

    @inline(never)
    private func allocateFresh(_ shift: Int, always: Bool) -> UnsafeMutableRawPointer? {
        guard shift <= Self.largestShift else { return nil }
        guard shift < Self.slabShift else { return fromSystem(1 << shift, always: always) }
        guard let slab = fromSystem(1 << Self.slabShift, always: always) else { return nil }
        // Small slabs live as long as the pool: their list is threaded through the first block.
        let size = max(1 << shift, 32)
        let count = (1 << Self.slabShift) / size
        slab.storeBytes(of: state.pointee.slabs, as: UnsafeMutableRawPointer?.self)
        state.pointee.slabs = slab
        for i in stride(from: count - 1, through: 2, by: -1) {
            let block = slab + i * size
            block.storeBytes(of: state.pointee.free[shift], as: UnsafeMutableRawPointer?.self)
            state.pointee.free[shift] = block
        }
        return slab + size
    }

    private func fromSystem(_ byteCount: Int, always: Bool) -> UnsafeMutableRawPointer? {
        let budget = state.pointee.budget.takeUnretainedValue()
        if !budget.reserve(byteCount) {
            guard always || reclaimIdle(byteCount, budget) else { return nil }
            budget.reserveAlways(byteCount)
        }
        var block: UnsafeMutableRawPointer?
        guard posix_memalign(&block, 64, byteCount) == 0 else {
            budget.release(byteCount)
            return nil
        }
        return block
    }

    /// Gives idle large blocks back until `byteCount` fit into the budget again.
    private func reclaimIdle(_ byteCount: Int, _ budget: MemoryBudget) -> Bool {
        for shift in stride(from: Self.largestShift, through: Self.slabShift, by: -1) {
            while let block = state.pointee.free[shift] {
                state.pointee.free[shift] = block.load(as: UnsafeMutableRawPointer?.self)
                state.pointee.idleLargeBytes -= 1 << shift
                giveBack(block, shift)
                if budget.usedBytes + byteCount <= budget.bytesMax { return true }
            }
        }
        return false
    }

    private func giveBack(_ block: UnsafeMutableRawPointer, _ shift: Int) {
        Glibc.free(block)
        state.pointee.budget.takeUnretainedValue().release(1 << shift)
    }

    /// Frees every slab and idle block. Blocks still handed out from slabs die with them.
    func destroy() {
        _ = reclaimIdle(.max / 2, state.pointee.budget.takeUnretainedValue())
        while let slab = state.pointee.slabs {
            state.pointee.slabs = slab.load(as: UnsafeMutableRawPointer?.self)
            giveBack(slab, Self.slabShift)
        }
        state.pointee.free.deallocate()
        state.pointee.budget.release()
        state.deinitialize(count: 1)
        state.deallocate()
    }
}
