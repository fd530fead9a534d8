import Glibc

/// The subscriptions that end at a node. A client may join 20,000 queue groups on one subject: from
/// `tabledGroupsMin` groups on they are found by a hash of their names, seeded as the tree's.
extension SubjectNode {
    private static var tabledGroupsMin: UInt32 { 16 }

    /// Whether it is the first of its queue group, or of those without one. Without memory nothing is added.
    mutating func add(
        _ subscription: SubscriptionRef, _ groupHash: UInt32, pool: SlabPool
    ) throws(OutOfMemory) -> Bool {
        guard subscription.pointee.isQueued else {
            try plain.append(subscription, pool: pool)
            return plain.count == 1
        }
        if let i = unsafe groupIndex(
            subscription.pointee.queue, subscription.pointee.queueCount, groupHash)
        {
            try unsafe groups.unsafelyUnwrapped[i].members.append(subscription, pool: pool)
            return false
        }
        do throws(OutOfMemory) {
            try addGroup(of: subscription, groupHash, pool)
        } catch {
            if groupCount == 0 { freeGroups(pool) }
            throw error
        }
        return true
    }

    private mutating func addGroup(
        of subscription: SubscriptionRef, _ hash: UInt32, _ pool: SlabPool
    ) throws(OutOfMemory) {
        if groupCount == groupCapacity { try growGroups(pool) }
        if groupCount + 1 >= Self.tabledGroupsMin { try makeRoomInTable(pool) }
        let count = subscription.pointee.queueCount
        let name = unsafe try pool.allocate(Int(count)).assumingMemoryBound(to: UInt8.self)
        unsafe memcpy(name, subscription.pointee.queue, Int(count))
        var group = unsafe QueueGroup(
            name: name, nameCount: count, nameHash: hash, members: SubscriptionList())
        do throws(OutOfMemory) {
            try group.members.append(subscription, pool: pool)
        } catch {
            unsafe pool.free(name, Int(count))
            throw error
        }
        unsafe (groups.unsafelyUnwrapped + Int(groupCount)).initialize(to: group)
        groupCount += 1
        if unsafe groupTable != nil { place(groupCount - 1) }
    }

    /// Whether it was the last of its queue group, or of those without one.
    mutating func remove(
        _ subscription: SubscriptionRef, _ groupHash: UInt32, pool: SlabPool
    ) -> Bool {
        guard subscription.pointee.isQueued else {
            plain.remove(subscription, pool: pool)
            return plain.count == 0
        }
        guard
            let i = unsafe groupIndex(
                subscription.pointee.queue, subscription.pointee.queueCount, groupHash),
            let groups = unsafe groups
        else { preconditionFailure("a subscription's queue group is not where it was added") }
        unsafe groups[i].members.remove(subscription, pool: pool)
        guard unsafe groups[i].members.count == 0 else { return false }
        unsafe pool.free(groups[i].name, Int(groups[i].nameCount))
        takeOut(UInt32(i), pool)
        return true
    }

    /// One subscription of each queue group, and one of those without.
    func forEachInterest(_ body: (SubscriptionRef) -> Void) {
        if let items = unsafe plain.items, plain.count > 0 { body(unsafe items[0]) }
        for i in 0..<Int(groupCount) {
            body(unsafe groups.unsafelyUnwrapped[i].members.items.unsafelyUnwrapped[0])
        }
    }

    /// The last group takes the place of the one that goes.
    private mutating func takeOut(_ index: UInt32, _ pool: SlabPool) {
        let groups = unsafe groups.unsafelyUnwrapped
        let last = groupCount - 1
        if unsafe groupTable != nil {
            unsafe removeFromTable(index, groups[Int(index)].nameHash)
            if index != last {
                unsafe groupTable.unsafelyUnwrapped[slot(of: last, groups[Int(last)].nameHash)] =
                    index + 1
            }
        }
        unsafe groups[Int(index)] = unsafe groups[Int(last)]
        groupCount = last
        if groupCount == 0 { freeGroups(pool) }
    }

    /// The arrays, which have no group in them any more.
    private mutating func freeGroups(_ pool: SlabPool) {
        if let groups = unsafe groups {
            unsafe pool.free(groups, Int(groupCapacity) * MemoryLayout<QueueGroup>.stride)
        }
        unsafe groups = nil
        groupCapacity = 0
        freeTable(pool)
    }

    private func groupIndex(_ name: MutableBytes, _ count: UInt32, _ hash: UInt32) -> Int? {
        guard let table = unsafe groupTable else {
            for i in 0..<Int(groupCount)
            where unsafe groups.unsafelyUnwrapped[i].isNamed(name, count) { return i }
            return nil
        }
        let mask = groupTableCapacity &- 1
        var slot = hash & mask
        while unsafe table[Int(slot)] != 0 {
            let index = unsafe Int(table[Int(slot)]) - 1
            let group = unsafe groups.unsafelyUnwrapped[index]
            if unsafe group.nameHash == hash && group.isNamed(name, count) { return index }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    private mutating func growGroups(_ pool: SlabPool) throws(OutOfMemory) {
        let stride = MemoryLayout<QueueGroup>.stride
        let capacity = max(2, groupCapacity * 2)
        let grown = unsafe try pool.allocate(Int(capacity) * stride)
            .assumingMemoryBound(to: QueueGroup.self)
        if let groups = unsafe groups {
            unsafe memcpy(grown, groups, Int(groupCount) * stride)
            unsafe pool.free(groups, Int(groupCapacity) * stride)
        }
        unsafe groups = grown
        groupCapacity = capacity
    }
}

// MARK: - The table: index plus one, linear probing, at most half full

extension SubjectNode {
    /// For one group more than there are.
    private mutating func makeRoomInTable(_ pool: SlabPool) throws(OutOfMemory) {
        guard (groupCount + 1) * 2 > groupTableCapacity else { return }
        let capacity = max(Self.tabledGroupsMin * 4, groupTableCapacity * 2)
        let table = unsafe try pool.allocate(Int(capacity) * MemoryLayout<UInt32>.stride)
            .assumingMemoryBound(to: UInt32.self)
        freeTable(pool)
        unsafe table.initialize(repeating: 0, count: Int(capacity))
        unsafe groupTable = table
        groupTableCapacity = capacity
        for i in 0..<groupCount { place(i) }
    }

    private func place(_ index: UInt32) {
        let table = unsafe groupTable.unsafelyUnwrapped
        let mask = groupTableCapacity &- 1
        var slot = unsafe groups.unsafelyUnwrapped[Int(index)].nameHash & mask
        while unsafe table[Int(slot)] != 0 { slot = (slot &+ 1) & mask }
        unsafe table[Int(slot)] = index + 1
    }

    private func slot(of index: UInt32, _ hash: UInt32) -> Int {
        let mask = groupTableCapacity &- 1
        var slot = hash & mask
        while unsafe groupTable.unsafelyUnwrapped[Int(slot)] != index + 1 {
            slot = (slot &+ 1) & mask
        }
        return Int(slot)
    }

    /// Closes the gap that the entry leaves in its probe sequence.
    private func removeFromTable(_ index: UInt32, _ hash: UInt32) {
        let table = unsafe groupTable.unsafelyUnwrapped
        let mask = groupTableCapacity &- 1
        var gap = UInt32(slot(of: index, hash))
        unsafe table[Int(gap)] = 0
        var next = (gap &+ 1) & mask
        while unsafe table[Int(next)] != 0 {
            let home = unsafe groups.unsafelyUnwrapped[Int(table[Int(next)]) - 1].nameHash & mask
            if (next &- home) & mask >= (next &- gap) & mask {
                unsafe table[Int(gap)] = unsafe table[Int(next)]
                unsafe table[Int(next)] = 0
                gap = next
            }
            next = (next &+ 1) & mask
        }
    }

    private mutating func freeTable(_ pool: SlabPool) {
        if let table = unsafe groupTable {
            unsafe pool.free(table, Int(groupTableCapacity) * MemoryLayout<UInt32>.stride)
        }
        unsafe groupTable = nil
        groupTableCapacity = 0
    }
}
