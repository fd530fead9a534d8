// Message path, step 8: bytes that wait for a connection's socket. Next: FlushSchedule.swift.

import CMartletSystem

/// A piece of what waits to be sent: a chunk that frames are copied into, or a large payload.
///
/// SAFETY: `start <= end <= capacity`, and `bytes` has `capacity` of them: behind this header in its block,
/// or in the payload, to which the segment holds a reference.
@safe
struct OutboundSegment {
    var next: SegmentRef?
    var bytes: MutableBytes
    var start: UInt32
    var end: UInt32
    var capacity: UInt32
    /// Of the block that this stands in, for the pool.
    var blockShift: UInt32
    /// The payload that `bytes` belong to; nil for a chunk, whose bytes follow this header.
    var payload: PayloadRef?
}

typealias SegmentRef = StablePointer<OutboundSegment>

/// What waits for one connection, in order, as a list of segments. Empty, it holds no memory: chunks
/// come from the loop's pool when a frame is added and go back when it is sent.
///
/// A frame that is copied is contiguous in one chunk; a large message is its control line in a
/// chunk, then its payload as a segment of its own.
///
/// SAFETY: the segments are blocks of the one pool that every call is given; one thread.
@safe
struct OutboundQueue {
    var head: SegmentRef?
    var tail: SegmentRef?
    /// Unsent bytes, counted fully here even where a payload is shared.
    var pendingBytes = 0

    /// 4 KiB for the first, 64 KiB for those behind it.
    private static let firstChunkShift = 12
    private static let chunkShift = 16
    static let chunkBytes = 1 << chunkShift
    /// Room behind a frame for copies that write whole 16-byte pieces.
    private static let slack = 16
    private static var headerBytes: Int { (MemoryLayout<OutboundSegment>.stride + 15) & ~15 }

    @inline(__always) var isEmpty: Bool { pendingBytes == 0 }

    /// Counted by going through them.
    var segmentCount: Int {
        var count = 0
        var segment = head
        while let one = segment {
            count += 1
            segment = one.pointee.next
        }
        return count
    }

    /// Room for a frame of `count` bytes at the end; nil when the memory budget is spent.
    @inline(__always)
    mutating func reserve(_ count: Int, pool: BlockPool) -> MutableBytes? {
        if hasRoom(for: count) {
            let chunk = unsafe tail.unsafelyUnwrapped
            return unsafe chunk.pointee.bytes + Int(chunk.pointee.end)
        }
        return unsafe appendChunk(for: count, pool: pool)
    }

    /// Whether a frame of `count` bytes, and the slack behind it, fits where the last one ends.
    @inline(__always)
    private func hasRoom(for count: Int) -> Bool {
        guard let tail, tail.pointee.payload == nil else { return false }
        return Int(tail.pointee.end) &+ count &+ Self.slack <= Int(tail.pointee.capacity)
    }

    /// All that waits, where it is one chunk.
    @inline(__always)
    var onlyChunk: SegmentRef? {
        guard let head, head == tail, head.pointee.payload == nil else { return nil }
        return head
    }

    /// Gives back the only chunk, which was sent whole.
    @inline(__always)
    mutating func removeOnly(_ chunk: SegmentRef, pool: BlockPool) {
        assert(head == chunk && tail == chunk && chunk.pointee.payload == nil)
        head = nil
        tail = nil
        pendingBytes = 0
        unsafe pool.free(chunk.block, shift: Int(chunk.pointee.blockShift))
    }

    /// Says that `count` bytes were written to what `reserve` gave.
    ///
    /// SAFETY: no more than was asked for; a debug build stops where it is more than there was room for.
    @inline(__always)
    mutating func commit(_ count: Int) {
        assert(count >= 0 && hasRoom(for: count))
        unsafe tail.unsafelyUnwrapped.pointee.end &+= UInt32(truncatingIfNeeded: count)
        pendingBytes &+= count
    }

    /// As `reserve`, over the memory budget if need be; nil when the system has no memory.
    mutating func reserveOverBudget(_ count: Int, pool: BlockPool) -> MutableBytes? {
        let shift = BlockPool.shift(for: count + Self.headerBytes + Self.slack)
        guard let block = unsafe pool.allocateOverBudget(1 << shift) else { return nil }
        return unsafe appendChunk(block, shift)
    }

    @inline(never)
    private mutating func appendChunk(for count: Int, pool: BlockPool) -> MutableBytes? {
        let wanted = count &+ Self.headerBytes &+ Self.slack
        var shift = pendingBytes == 0 ? Self.firstChunkShift : Self.chunkShift
        if wanted > 1 << shift { shift = BlockPool.shift(for: wanted) }
        guard let block = unsafe pool.allocate(shift: shift) else { return nil }
        return unsafe appendChunk(block, shift)
    }

    @inline(__always)
    private mutating func appendChunk(
        _ block: UnsafeMutableRawPointer, _ shift: Int
    ) -> MutableBytes {
        let segment = unsafe SegmentRef(
            in: block,
            OutboundSegment(
                next: nil,
                bytes: (block + Self.headerBytes).assumingMemoryBound(to: UInt8.self),
                start: 0, end: 0,
                capacity: UInt32(truncatingIfNeeded: 1 &<< shift &- Self.headerBytes),
                blockShift: UInt32(truncatingIfNeeded: shift), payload: nil))
        append(segment)
        return unsafe segment.pointee.bytes
    }

    /// Adds a payload's bytes from `start` on, and a reference to it. False when the system has no memory.
    mutating func append(_ payload: PayloadRef, from start: Int, pool: BlockPool) -> Bool {
        let shift = BlockPool.shift(for: MemoryLayout<OutboundSegment>.stride)
        guard let block = unsafe pool.allocateOverBudget(1 << shift) else { return false }
        PayloadBuffer.retain(payload)
        let segment = unsafe SegmentRef(
            in: block,
            OutboundSegment(
                next: nil, bytes: PayloadBuffer.bytes(payload), start: UInt32(start),
                end: UInt32(payload.pointee.count), capacity: UInt32(payload.pointee.count),
                blockShift: UInt32(shift), payload: payload))
        append(segment)
        pendingBytes += payload.pointee.count - start
        return true
    }

    @inline(__always)
    private mutating func append(_ segment: SegmentRef) {
        if let tail { tail.pointee.next = segment } else { head = segment }
        tail = segment
    }

    /// Puts what another queue holds before all that is here, and leaves that one empty.
    mutating func prepend(_ earlier: inout OutboundQueue) {
        guard let last = earlier.tail else { return }
        last.pointee.next = head
        if tail == nil { tail = last }
        head = earlier.head
        pendingBytes += earlier.pendingBytes
        earlier = OutboundQueue()
    }

    /// Drops `count` bytes that were sent from the front, and gives back what is then empty.
    @inline(__always)
    mutating func consume(_ count: Int, pool: BlockPool, returns: ReturnStack) {
        assert(count >= 0 && count <= pendingBytes)
        pendingBytes &-= count
        var left = count
        while let segment = head {
            let available = Int(segment.pointee.end &- segment.pointee.start)
            if left < available {
                segment.pointee.start &+= UInt32(truncatingIfNeeded: left)
                return
            }
            left &-= available
            removeHead(pool: pool, returns: returns)
        }
    }

    @inline(__always)
    mutating func removeHead(pool: BlockPool, returns: ReturnStack) {
        let segment = unsafe head.unsafelyUnwrapped
        head = segment.pointee.next
        if head == nil { tail = nil }
        if let payload = segment.pointee.payload {
            PayloadBuffer.release(payload, on: returns, pool: pool)
        }
        unsafe pool.free(segment.block, shift: Int(segment.pointee.blockShift))
    }

    mutating func removeAll(pool: BlockPool, returns: ReturnStack) {
        while head != nil { removeHead(pool: pool, returns: returns) }
        pendingBytes = 0
    }
}
