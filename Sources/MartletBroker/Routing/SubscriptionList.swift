import Glibc

/// A list of subscriptions that each know their position in it, so that removing one is O(1). A long one
/// consists of segments, so that it grows without being copied.
///
/// SAFETY: `block` has room for `capacity` items; with more than a segment has, it has room for
/// `segmentsMax` pointers, those to `capacity / itemsPerSegment` segments initialised. The first `count` items
/// are initialised. Reached with the tree's lock held.
@safe
struct SubscriptionList {
    private var block: UnsafeMutableRawPointer?
    private(set) var count: UInt32 = 0
    private var capacity: UInt32 = 0
    private var segmentsMax: UInt32 = 0

    private typealias Items = UnsafeMutablePointer<SubscriptionRef>

    private static let segmentShift = 9
    private static let itemsPerSegment: UInt32 = 1 << segmentShift
    private static let itemBytes = MemoryLayout<SubscriptionRef>.stride

    subscript(_ position: Int) -> SubscriptionRef {
        assert(position < count)
        return unsafe place(position).pointee
    }

    /// Without memory it is not added.
    mutating func append(_ subscription: SubscriptionRef, pool: SlabPool) throws(OutOfMemory) {
        if count == capacity { try grow(pool) }
        unsafe place(Int(count)).initialize(to: subscription)
        subscription.pointee.place.pointee.position = count
        count += 1
    }

    /// The last one takes its position.
    mutating func remove(_ subscription: SubscriptionRef, pool: SlabPool) {
        let position = subscription.pointee.place.pointee.position
        precondition(position < count && self[Int(position)] == subscription)
        count -= 1
        let last = unsafe place(Int(count)).pointee
        unsafe place(Int(position)).pointee = last
        last.pointee.place.pointee.position = position
        if count == 0 {
            release(pool)
        } else if hasSegments, capacity - count >= 2 * Self.itemsPerSegment {
            removeSegment(pool)
        }
    }

    func replace(_ old: SubscriptionRef, with new: SubscriptionRef) {
        let position = old.pointee.place.pointee.position
        precondition(position < count && self[Int(position)] == old)
        unsafe place(Int(position)).pointee = new
        new.pointee.place.pointee.position = position
    }

    // MARK: Memory

    private var hasSegments: Bool { segmentsMax > 0 }

    private var segments: UnsafeMutablePointer<Items> {
        unsafe block.unsafelyUnwrapped.assumingMemoryBound(to: Items.self)
    }

    @inline(__always)
    private func place(_ position: Int) -> Items {
        guard hasSegments else {
            return unsafe block.unsafelyUnwrapped.assumingMemoryBound(to: SubscriptionRef.self)
                + position
        }
        return unsafe segments[position >> Self.segmentShift]
            + (position & Int(Self.itemsPerSegment - 1))
    }

    private mutating func grow(_ pool: SlabPool) throws(OutOfMemory) {
        guard capacity < Self.itemsPerSegment else { return try addSegment(pool) }
        let grown = max(4, capacity * 2)
        let fresh = unsafe try pool.allocate(Int(grown) * Self.itemBytes)
        if let block = unsafe block {
            unsafe memcpy(fresh, block, Int(count) * Self.itemBytes)
            unsafe pool.free(block, Int(capacity) * Self.itemBytes)
        }
        unsafe block = unsafe fresh
        capacity = grown
    }

    private mutating func addSegment(_ pool: SlabPool) throws(OutOfMemory) {
        let segment = unsafe try pool.allocate(Int(Self.itemsPerSegment) * Self.itemBytes)
        do throws(OutOfMemory) {
            try makeRoomForSegment(pool)
        } catch {
            unsafe pool.free(segment, Int(Self.itemsPerSegment) * Self.itemBytes)
            throw error
        }
        unsafe (segments + Int(capacity / Self.itemsPerSegment)).initialize(
            to: segment.assumingMemoryBound(to: SubscriptionRef.self))
        capacity += Self.itemsPerSegment
    }

    private mutating func makeRoomForSegment(_ pool: SlabPool) throws(OutOfMemory) {
        let used = capacity / Self.itemsPerSegment
        guard used >= segmentsMax else { return }
        let grown = max(4, segmentsMax * 2)
        let fresh = unsafe try pool.allocate(Int(grown) * Self.itemBytes)
        if hasSegments {
            unsafe memcpy(fresh, segments, Int(used) * Self.itemBytes)
            unsafe pool.free(segments, Int(segmentsMax) * Self.itemBytes)
        } else {
            // What was all of it is the first segment.
            let first = unsafe place(0)
            unsafe fresh.assumingMemoryBound(to: Items.self).initialize(to: first)
        }
        unsafe block = unsafe fresh
        segmentsMax = grown
    }

    private mutating func removeSegment(_ pool: SlabPool) {
        capacity -= Self.itemsPerSegment
        let last = unsafe segments[Int(capacity / Self.itemsPerSegment)]
        unsafe pool.free(last, Int(Self.itemsPerSegment) * Self.itemBytes)
    }

    private mutating func release(_ pool: SlabPool) {
        if hasSegments {
            while capacity > 0 { removeSegment(pool) }
            unsafe pool.free(segments, Int(segmentsMax) * Self.itemBytes)
        } else if let block = unsafe block {
            unsafe pool.free(block, Int(capacity) * Self.itemBytes)
        }
        self = SubscriptionList()
    }
}
