import Glibc

/// The members of one queue group on one subject filter. Its name follows it in its block.
///
/// SAFETY: `name` is `nameCount` bytes of its own block; reached with the tree's lock held.
@safe
struct QueueGroup: TableKeyed {
    let name: MutableBytes
    let nameCount: UInt32
    /// Seeded as the tree's.
    let nameHash: UInt32
    var members = SubscriptionList()

    var tableHash: UInt32 { nameHash }

    func isNamed(_ other: MutableBytes, _ count: UInt32) -> Bool {
        unsafe nameCount == count && memcmp(name, other, Int(count)) == 0
    }
}

typealias QueueGroupRef = StablePointer<QueueGroup>

/// The subscriptions that end at a node. A client may join 20,000 queue groups on one subject.
extension SubjectNode {
    /// Whether it is the first of its queue group, or of those without one. Without memory nothing is added.
    mutating func add(
        _ subscription: SubscriptionRef, _ groupHash: UInt32, pool: SlabPool
    ) throws(OutOfMemory) -> Bool {
        guard subscription.pointee.isQueued else {
            try plain.append(subscription, pool: pool)
            return plain.count == 1
        }
        if let group = group(of: subscription, groupHash) {
            try group.pointee.members.append(subscription, pool: pool)
            return false
        }
        let group = try Self.makeGroup(of: subscription, groupHash, pool)
        do throws(OutOfMemory) {
            try group.pointee.members.append(subscription, pool: pool)
            try groups.insert(ReferenceEntry(group), from: pool)
        } catch {
            if group.pointee.members.count > 0 {
                group.pointee.members.remove(subscription, pool: pool)
            }
            Self.free(group, pool)
            throw error
        }
        return true
    }

    /// Whether it was the last of its queue group, or of those without one.
    mutating func remove(
        _ subscription: SubscriptionRef, _ groupHash: UInt32, pool: SlabPool
    ) -> Bool {
        guard subscription.pointee.isQueued else {
            plain.remove(subscription, pool: pool)
            return plain.count == 0
        }
        guard let group = group(of: subscription, groupHash) else {
            preconditionFailure("a subscription's queue group is not where it was added")
        }
        group.pointee.members.remove(subscription, pool: pool)
        guard group.pointee.members.count == 0 else { return false }
        groups.remove(groupHash, where: { $0.value == group }, to: pool)
        Self.free(group, pool)
        return true
    }

    /// The new one has the same queue.
    mutating func replace(
        _ old: SubscriptionRef, with new: SubscriptionRef, _ groupHash: UInt32
    ) {
        guard new.pointee.isQueued else { return plain.replace(old, with: new) }
        guard let group = group(of: new, groupHash) else {
            preconditionFailure("a subscription's queue group is not where it was added")
        }
        group.pointee.members.replace(old, with: new)
    }

    /// One subscription of each queue group, and one of those without.
    func forEachInterest(_ body: (SubscriptionRef) -> Void) {
        if plain.count > 0 { body(plain[0]) }
        groups.visitAll { body($0.value.pointee.members[0]) }
    }

    private func group(of subscription: SubscriptionRef, _ hash: UInt32) -> QueueGroupRef? {
        let name = unsafe subscription.pointee.queue
        let count = subscription.pointee.queueCount
        return groups.find(hash) { entry in
            let group = entry.value
            return unsafe group.pointee.nameHash == hash && group.pointee.isNamed(name, count)
        }?.value
    }

    private static func makeGroup(
        of subscription: SubscriptionRef, _ hash: UInt32, _ pool: SlabPool
    ) throws(OutOfMemory) -> QueueGroupRef {
        let count = subscription.pointee.queueCount
        let block = unsafe try pool.allocate(groupBytes(count))
        let name = unsafe (block + MemoryLayout<QueueGroup>.stride)
            .assumingMemoryBound(to: UInt8.self)
        unsafe memcpy(name, subscription.pointee.queue, Int(count))
        return unsafe QueueGroupRef(
            in: block, QueueGroup(name: name, nameCount: count, nameHash: hash))
    }

    private static func free(_ group: QueueGroupRef, _ pool: SlabPool) {
        unsafe pool.free(group.block, groupBytes(group.pointee.nameCount))
    }

    private static func groupBytes(_ nameCount: UInt32) -> Int {
        MemoryLayout<QueueGroup>.stride + Int(nameCount)
    }
}
