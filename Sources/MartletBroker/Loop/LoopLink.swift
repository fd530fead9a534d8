import Synchronization

/// A block of messages for another loop; records follow the header.
///
/// SAFETY: the header of a block of `blockBytes`, of which `used` are written; reached by the loop
/// that owns the batch.
@safe
struct Batch {
    var next: BatchRef?
    var blockBytes: Int
    var used: Int
    /// Its place among the batches of all loops, once posted.
    var number: UInt64 = 0
    /// Bytes of the payloads that its records refer to.
    var payloadBytes = 0

    static var headerBytes: Int { 64 }
    static var defaultBytes: Int { 256 << 10 }

    /// Counts against `bytesInFlightMax` until given back.
    var bytesInFlight: Int { used + payloadBytes }
}

typealias BatchRef = StablePointer<Batch>

/// A stack that several threads push on and one empties. The taker takes everything at once, so a
/// compare-and-swap cannot be fooled by a block that left and came back.
///
/// SAFETY: a pushed batch belongs to the stack until it is taken; pushing releases what was
/// written, taking acquires it.
@safe
struct BatchStack: ~Copyable {
    private let top = Atomic<UInt>(0)

    func push(_ batch: BatchRef) {
        var old = top.load(ordering: .relaxed)
        while true {
            batch.pointee.next = unsafe BatchRef(bits: old)
            let (done, current) = top.compareExchange(
                expected: old, desired: batch.bits, ordering: .releasing)
            if done { return }
            old = current
        }
    }

    /// All batches, the last one pushed first.
    @inline(__always)
    func takeAll() -> BatchRef? {
        guard top.load(ordering: .relaxed) != 0 else { return nil }
        return unsafe BatchRef(bits: top.exchange(0, ordering: .acquiring))
    }
}

/// One direction between two loops. The source fills batches and posts them once a turn; the target
/// takes all there are, delivers, and hands the empty blocks back. Neither takes a lock.
///
/// SAFETY: a block belongs to the source until it is posted, to the target until it is returned.
@safe
struct LoopLink: ~Copyable {
    private let posted = BatchStack()
    private let returned = BatchStack()
    let bytesInFlight = Atomic<Int>(0)
    /// The source has paused publishers until this link drains.
    let sourceWaits = Atomic<Bool>(false)
    /// Of the source alone; apart, so that the two sides never touch the same memory but by atomics.
    private let source = StablePointer(allocating: OpenBatch())

    private struct OpenBatch {
        /// The batch that the source is filling.
        var batch: BatchRef?
        var hasPosted = false
    }

    private let order: StablePointer<BatchOrder>

    /// A source that has this much under way waits before it reads more from its publishers.
    let bytesInFlightMax: Int
    static var bytesInFlightCeiling: Int { 32 << 20 }

    /// All links together may hold a sixteenth of the memory budget, but each at least 1 MiB.
    init(loopCount: Int, memoryBytesMax: Int, order: StablePointer<BatchOrder>) {
        self.order = order
        let share = memoryBytesMax / 16 / max(1, loopCount * (loopCount - 1))
        bytesInFlightMax = min(Self.bytesInFlightCeiling, max(1 << 20, share))
    }

    deinit {
        source.destroy()
    }

    // MARK: The source's side

    /// Room for a record of `byteCount` bytes, a multiple of 8, that refers to `payloadBytes` elsewhere; nil when
    /// the system has no memory.
    func reserve(
        _ byteCount: Int, payloadBytes: Int, pool: BlockPool
    ) -> UnsafeMutableRawPointer? {
        assert(byteCount > 0 && byteCount & 7 == 0)
        if let batch = source.pointee.batch,
            batch.pointee.used + byteCount > batch.pointee.blockBytes
        {
            postOpen()
        }
        guard let batch = source.pointee.batch ?? freshBatch(byteCount, pool: pool) else {
            return nil
        }
        source.pointee.batch = batch
        let record = unsafe batch.block + batch.pointee.used
        batch.pointee.used += byteCount
        assert(batch.pointee.used <= batch.pointee.blockBytes)
        batch.pointee.payloadBytes += payloadBytes
        return unsafe record
    }

    /// Whether there is something to hand over.
    var isGathering: Bool { source.pointee.batch != nil }

    /// Hands over what was gathered; whether there was anything.
    func post() -> Bool {
        postOpen()
        defer { source.pointee.hasPosted = false }
        return source.pointee.hasPosted
    }

    private func postOpen() {
        guard let batch = source.pointee.batch else { return }
        source.pointee.batch = nil
        source.pointee.hasPosted = true
        bytesInFlight.wrappingAdd(batch.pointee.bytesInFlight, ordering: .relaxed)
        batch.pointee.number = order.pointee.next()
        posted.push(batch)
    }

    private func freshBatch(_ byteCount: Int, pool: BlockPool) -> BatchRef? {
        var reusable: BatchRef?
        var next = returned.takeAll()
        while let batch = next {
            next = batch.pointee.next
            if reusable == nil, batch.pointee.blockBytes - Batch.headerBytes >= byteCount {
                reusable = batch
            } else {
                unsafe pool.free(batch.block, batch.pointee.blockBytes)
            }
        }
        if let reusable {
            reusable.pointee.used = Batch.headerBytes
            reusable.pointee.payloadBytes = 0
            return reusable
        }
        let blockBytes = BlockPool.capacity(
            for: max(Batch.defaultBytes, byteCount + Batch.headerBytes))
        guard let block = unsafe pool.allocateOverBudget(blockBytes) else { return nil }
        return unsafe BatchRef(
            in: block, Batch(next: nil, blockBytes: blockBytes, used: Batch.headerBytes))
    }

    /// Frees the blocks that the target has given back.
    func freeReturned(_ pool: BlockPool) {
        var next = returned.takeAll()
        while let batch = next {
            next = batch.pointee.next
            unsafe pool.free(batch.block, batch.pointee.blockBytes)
        }
    }

    /// The source's: no publisher has to wait for the target.
    @inline(__always)
    var hasRoom: Bool { bytesInFlight.load(ordering: .relaxed) <= bytesInFlightMax }

    /// The source's: whether its publishers must wait for the target. Says so first and looks again
    /// then, so that a target which has drained in between cannot miss it.
    func mustWait() -> Bool {
        guard !hasRoom else { return false }
        sourceWaits.store(true, ordering: .sequentiallyConsistent)
        guard bytesInFlight.load(ordering: .sequentiallyConsistent) < bytesInFlightMax / 2
        else {
            return true
        }
        // Drained meanwhile. If the target has seen the flag, its command is on the way: wait for it.
        return !sourceWaits.exchange(false, ordering: .sequentiallyConsistent)
    }

    // MARK: The target's side

    /// Everything that was posted, oldest first.
    func takePosted() -> BatchRef? {
        var reversed: BatchRef?
        var next = posted.takeAll()
        while let batch = next {
            next = batch.pointee.next
            batch.pointee.next = reversed
            reversed = batch
        }
        return reversed
    }

    /// Gives a delivered batch back. True when the source waits for the link to drain and it has.
    func giveBack(_ batch: BatchRef) -> Bool {
        let left = bytesInFlight.wrappingSubtract(
            batch.pointee.bytesInFlight, ordering: .sequentiallyConsistent
        ).newValue
        returned.push(batch)
        return left < bytesInFlightMax / 2
            && sourceWaits.load(ordering: .sequentiallyConsistent)
            && sourceWaits.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Frees blocks that never came back; both loops have stopped.
    func destroy(pool: BlockPool) {
        postOpen()
        for stack in 0..<2 {
            var next = stack == 0 ? posted.takeAll() : returned.takeAll()
            while let batch = next {
                next = batch.pointee.next
                unsafe pool.free(batch.block, batch.pointee.blockBytes)
            }
        }
    }
}

typealias LoopLinkRef = StablePointer<LoopLink>
