import Glibc
import Synchronization

/// The payload of one large message, with its closing CR LF: read once, from the socket straight to
/// here, and sent from here to every subscriber. It counts its references, because the subscribers
/// may be on several loops.
///
/// SAFETY: `bytes` are written by the loop that reads the message, before the reference leaves it; after
/// that nobody writes. The last to release gives the block back to the owner's pool: directly on the
/// owner's loop, through `ReturnStack` from any other.
@safe
struct PayloadBuffer: ~Copyable {
    let references = Atomic<Int>(1)
    let owner: ReturnStack
    let blockBytes: Int
    var next: PayloadRef?
    /// Payload and CR LF.
    let count: Int
    /// How much of it has been read.
    var filled = 0
    /// For how much of it there is room: all of it once it is whole, and less while it comes.
    var room: Int { min(count, blockBytes - Self.headerBytes - Self.slack) }

    init(owner: ReturnStack, blockBytes: Int, count: Int) {
        self.owner = owner
        self.blockBytes = blockBytes
        self.count = count
    }
}

typealias PayloadRef = StablePointer<PayloadBuffer>

extension PayloadBuffer {
    static var headerBytes: Int { (MemoryLayout<PayloadBuffer>.stride + 63) & ~63 }
    /// Behind the bytes, for who reads whole pieces.
    private static var slack: Int { 64 }

    /// A buffer for `count` bytes, with room for the first `room` of them; nil when the memory budget is spent.
    static func make(
        _ count: Int, room: Int? = nil, pool: BlockPool, owner: ReturnStack
    ) -> PayloadRef? {
        let blockBytes = blockBytes(for: room ?? count)
        guard let block = unsafe pool.allocate(blockBytes) else { return nil }
        return unsafe place(in: block, blockBytes, count, owner)
    }

    /// The same, over the budget if need be; nil when the system has no memory.
    static func makeOverBudget(
        _ count: Int, room: Int? = nil, pool: BlockPool, owner: ReturnStack
    ) -> PayloadRef? {
        let blockBytes = blockBytes(for: room ?? count)
        guard let block = unsafe pool.allocateOverBudget(blockBytes) else { return nil }
        return unsafe place(in: block, blockBytes, count, owner)
    }

    /// A copy with more room of a buffer that nobody else has yet, and that goes; nil when the memory budget
    /// is spent: then it stays.
    static func grow(_ buffer: PayloadRef, room: Int, pool: BlockPool) -> PayloadRef? {
        assert(buffer.pointee.references.load(ordering: .relaxed) == 1)
        assert(room > buffer.pointee.room)
        let blockBytes = blockBytes(for: room)
        guard let block = unsafe pool.allocate(blockBytes) else { return nil }
        let grown = unsafe place(in: block, blockBytes, buffer.pointee.count, buffer.pointee.owner)
        unsafe memcpy(bytes(grown), bytes(buffer), buffer.pointee.filled)
        grown.pointee.filled = buffer.pointee.filled
        buffer.pointee.owner.recordFreed()
        unsafe pool.free(buffer.block, buffer.pointee.blockBytes)
        return grown
    }

    private static func blockBytes(for count: Int) -> Int {
        BlockPool.capacity(for: headerBytes + count + slack)
    }

    private static func place(
        in block: UnsafeMutableRawPointer, _ blockBytes: Int, _ count: Int, _ owner: ReturnStack
    ) -> PayloadRef {
        owner.recordTaken()
        return unsafe PayloadRef(
            in: block, PayloadBuffer(owner: owner, blockBytes: blockBytes, count: count))
    }

    @inline(__always)
    static func bytes(_ buffer: PayloadRef) -> MutableBytes {
        unsafe (buffer.block + headerBytes).assumingMemoryBound(to: UInt8.self)
    }

    @inline(__always)
    static func retain(_ buffer: PayloadRef) {
        buffer.pointee.references.wrappingAdd(1, ordering: .relaxed)
    }

    /// Drops a reference; `stack` and `pool` are those of the loop that calls.
    @inline(__always)
    static func release(_ buffer: PayloadRef, on stack: ReturnStack, pool: BlockPool) {
        let left = buffer.pointee.references.wrappingSubtract(
            1, ordering: .acquiringAndReleasing
        ).newValue
        assert(left >= 0)
        guard left == 0 else { return }
        if buffer.pointee.owner == stack {
            stack.recordFreed()
            unsafe pool.free(buffer.block, buffer.pointee.blockBytes)
        } else {
            buffer.pointee.owner.push(buffer)
        }
    }
}

/// Payload buffers on their way back to the loop that made them: any loop pushes, the owner takes all.
///
/// SAFETY: a buffer in the stack has no reference left, so nobody but the owner that collects it
/// reaches it.
@safe
struct ReturnStack: Equatable {
    private let top = StablePointer(allocating: Atomic<UInt>(0))
    /// The owner's alone: how many of its buffers are not back in its pool.
    private let out = StablePointer(allocating: 0)

    static func == (a: ReturnStack, b: ReturnStack) -> Bool { a.top == b.top }

    func push(_ buffer: PayloadRef) {
        var old = top.pointee.load(ordering: .relaxed)
        while true {
            buffer.pointee.next = unsafe PayloadRef(bits: old)
            let (done, current) = top.pointee.compareExchange(
                expected: old, desired: buffer.bits, ordering: .releasing)
            if done { return }
            old = current
        }
    }

    /// The owner's: puts what came back into its pool. Taking all at once leaves no ABA problem.
    @inline(__always)
    func collect(into pool: BlockPool) {
        guard top.pointee.load(ordering: .relaxed) != 0 else { return }
        var next = unsafe PayloadRef(bits: top.pointee.exchange(0, ordering: .acquiring))
        while let buffer = next {
            next = buffer.pointee.next
            recordFreed()
            unsafe pool.free(buffer.block, buffer.pointee.blockBytes)
        }
    }

    /// Whether buffers of the owner's are in use, or on their way back to it.
    var areAnyOut: Bool { out.pointee > 0 }

    @inline(__always)
    fileprivate func recordTaken() { out.pointee &+= 1 }

    @inline(__always)
    fileprivate func recordFreed() { out.pointee &-= 1 }

    func destroy() {
        top.destroy()
        out.destroy()
    }
}
