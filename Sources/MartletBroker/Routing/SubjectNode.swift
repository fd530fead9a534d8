import Glibc

/// A list of subscriptions that each know their position in it, so that removing one is O(1).
///
/// SAFETY: `items` holds `capacity` entries, the first `count` of them initialised; reached with
/// the tree's lock held.
@safe
struct SubscriptionList {
    var items: UnsafeMutablePointer<SubscriptionRef>?
    var count: UInt32 = 0
    var capacity: UInt32 = 0

    mutating func append(_ subscription: SubscriptionRef, pool: SlabPool) throws(OutOfMemory) {
        if count == capacity { try grow(pool) }
        unsafe items.unsafelyUnwrapped[Int(count)] = subscription
        subscription.pointee.place.pointee.position = count
        count += 1
    }

    mutating func remove(_ subscription: SubscriptionRef, pool: SlabPool) {
        let position = Int(subscription.pointee.place.pointee.position)
        let items = unsafe items.unsafelyUnwrapped
        unsafe precondition(position < Int(count) && items[position] == subscription)
        count -= 1
        unsafe items[position] = unsafe items[Int(count)]
        unsafe items[position].pointee.place.pointee.position = UInt32(position)
        if count == 0 { release(pool) }
    }

    mutating func release(_ pool: SlabPool) {
        if let items = unsafe items {
            unsafe pool.free(items, Int(capacity) * MemoryLayout<SubscriptionRef>.stride)
        }
        unsafe items = nil
        capacity = 0
    }

    private mutating func grow(_ pool: SlabPool) throws(OutOfMemory) {
        let stride = MemoryLayout<SubscriptionRef>.stride
        let bytes = BlockPool.capacity(for: max(4, Int(capacity) * 2) * stride)
        let grown = unsafe try pool.allocate(bytes).assumingMemoryBound(to: SubscriptionRef.self)
        if let items = unsafe items {
            unsafe memcpy(grown, items, Int(count) * stride)
            unsafe pool.free(items, Int(capacity) * stride)
        }
        unsafe items = grown
        capacity = UInt32(bytes / stride)
    }
}

/// The members of one queue group on one subject filter.
///
/// SAFETY: `name` is a block of `nameCount` bytes, freed with the group; reached with the tree's
/// lock held.
@safe
struct QueueGroup {
    var name: MutableBytes
    var nameCount: UInt32
    var nameHash: UInt32
    var members: SubscriptionList

    func isNamed(_ other: MutableBytes, _ count: UInt32) -> Bool {
        unsafe nameCount == count && memcmp(name, other, Int(count)) == 0
    }
}

typealias NodeRef = StablePointer<SubjectNode>

/// A token of the subject tree: its children, and the subscriptions that end here.
///
/// SAFETY: the arrays hold as many entries as their capacities say and are nil without any; reached
/// with the tree's lock held.
@safe
struct SubjectNode {
    var parent: NodeRef?
    var token: MutableBytes?
    var tokenCount: UInt32 = 0
    var tokenHash: UInt32 = 0

    /// Literal children: open addressing, linear probing, a power of two.
    var children: UnsafeMutablePointer<NodeRef?>?
    var childCapacity: UInt32 = 0
    var childCount: UInt32 = 0
    /// The child for `*`, and the one for `>`.
    var anyToken: NodeRef?
    var anyTail: NodeRef?

    var plain = SubscriptionList()
    var groups: UnsafeMutablePointer<QueueGroup>?
    var groupCount: UInt32 = 0
    var groupCapacity: UInt32 = 0
    /// `groups` by the hash of their names; nil while there are few.
    var groupTable: UnsafeMutablePointer<UInt32>?
    var groupTableCapacity: UInt32 = 0

    /// Changes with the subscriptions that end here, and was never another node's: whoever sees the same one
    /// again knows that they are the same subscriptions.
    var edition: UInt64 = 0
    /// The tree will look whether it is still unused when no match is under way.
    var isUnpruned = false

    var isUnused: Bool {
        plain.count == 0 && groupCount == 0 && childCount == 0 && anyToken == nil && anyTail == nil
    }
}

// MARK: - Literal children

extension SubjectNode {
    @inline(__always)
    func child(_ token: Bytes, _ count: Int, _ hash: UInt32) -> NodeRef? {
        guard let children = unsafe children else { return nil }
        let mask = childCapacity &- 1
        var slot = hash & mask
        while let node = unsafe children[Int(slot)] {
            if node.pointee.tokenHash == hash, Int(node.pointee.tokenCount) == count,
                unsafe memcmp(node.pointee.token.unsafelyUnwrapped, token, count) == 0
            {
                return node
            }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    mutating func addChild(_ node: NodeRef, pool: SlabPool) throws(OutOfMemory) {
        if (childCount + 1) * 2 > childCapacity { try growChildren(pool) }
        place(node)
        childCount += 1
    }

    /// Takes the node out and closes the gap it leaves in its probe sequence.
    mutating func removeChild(_ node: NodeRef, pool: SlabPool) {
        let children = unsafe children.unsafelyUnwrapped
        let mask = childCapacity &- 1
        var gap = node.pointee.tokenHash & mask
        while unsafe children[Int(gap)] != node { gap = (gap &+ 1) & mask }
        unsafe children[Int(gap)] = nil
        var next = (gap &+ 1) & mask
        while let other = unsafe children[Int(next)] {
            let home = other.pointee.tokenHash & mask
            if (next &- home) & mask >= (next &- gap) & mask {
                unsafe children[Int(gap)] = other
                unsafe children[Int(next)] = nil
                gap = next
            }
            next = (next &+ 1) & mask
        }
        childCount -= 1
        if childCount == 0 { releaseChildren(pool) }
    }

    func forEachChild(_ body: (NodeRef) -> Void) {
        if let anyToken { body(anyToken) }
        if let anyTail { body(anyTail) }
        guard let children = unsafe children else { return }
        for i in 0..<Int(childCapacity) {
            if let child = unsafe children[i] { body(child) }
        }
    }

    private func place(_ node: NodeRef) {
        let mask = childCapacity &- 1
        var slot = node.pointee.tokenHash & mask
        while unsafe children.unsafelyUnwrapped[Int(slot)] != nil { slot = (slot &+ 1) & mask }
        unsafe children.unsafelyUnwrapped[Int(slot)] = node
    }

    private mutating func growChildren(_ pool: SlabPool) throws(OutOfMemory) {
        let old = unsafe children
        let oldCapacity = childCapacity
        let stride = MemoryLayout<NodeRef?>.stride
        let capacity = max(4, oldCapacity * 2)
        let fresh = unsafe try pool.allocate(Int(capacity) * stride)
            .assumingMemoryBound(to: NodeRef?.self)
        unsafe fresh.initialize(repeating: nil, count: Int(capacity))
        unsafe children = fresh
        childCapacity = capacity
        guard let old = unsafe old else { return }
        for i in 0..<Int(oldCapacity) {
            if let node = unsafe old[i] { place(node) }
        }
        unsafe pool.free(old, Int(oldCapacity) * stride)
    }

    private mutating func releaseChildren(_ pool: SlabPool) {
        if let children = unsafe children {
            unsafe pool.free(children, Int(childCapacity) * MemoryLayout<NodeRef?>.stride)
        }
        unsafe children = nil
        childCapacity = 0
    }
}
