// Message path, beside Subscribe.swift: a connection's subscriptions by their sid.

import Glibc

/// Finds a connection's subscriptions by the sid its client chose. Open addressing over indexes of the
/// loop's subscription slab; empty, it holds no memory.
///
/// SAFETY: `entries` has `capacity` entries, a power of two, at least half of them empty; nil with none.
@safe
struct SubscriptionTable {
    private struct Entry: BitwiseCopyable {
        var hash: UInt32
        /// The slab's index plus one; 0 is an empty entry.
        var place: UInt32
    }

    private var entries: UnsafeMutablePointer<Entry>?
    private var capacity: UInt32 = 0
    private(set) var count: UInt32 = 0
    /// Secret, or a client could choose sids that all have one place: 40,000 took 7 s.
    private var seed: UInt64 = 0

    private func hash(_ sid: Bytes, _ count: Int) -> UInt32 {
        unsafe UInt32(truncatingIfNeeded: SubjectHash.bytes(sid, count, seed: seed))
    }

    func find(_ sid: Bytes, _ length: Int, in slab: Slab<Subscription>) -> SubscriptionRef? {
        guard let entries = unsafe entries else { return nil }
        let hash = unsafe self.hash(sid, length)
        let mask = capacity &- 1
        var i = hash & mask
        while unsafe entries[Int(i)].place != 0 {
            let entry = unsafe entries[Int(i)]
            if entry.hash == hash {
                let found = slab[Int(entry.place - 1)]
                if Int(found.pointee.spacedSIDCount) == length + 2,
                    unsafe memcmp(found.pointee.spacedSID + 1, sid, length) == 0
                {
                    return found
                }
            }
            i = (i &+ 1) & mask
        }
        return nil
    }

    /// - Parameter seed: of the hashes, taken when the table has been empty.
    mutating func insert(
        _ subscription: SubscriptionRef, pool: BlockPool, seed: UInt64
    ) throws(OutOfMemory) {
        if count == 0 { self.seed = seed }
        if (count + 1) * 2 > capacity { try grow(pool) }
        let hash = unsafe self.hash(
            subscription.pointee.spacedSID + 1, Int(subscription.pointee.spacedSIDCount) - 2)
        place(Entry(hash: hash, place: subscription.pointee.index + 1))
        count += 1
    }

    mutating func remove(_ subscription: SubscriptionRef, pool: BlockPool) {
        guard let entries = unsafe entries else { return }
        let mask = capacity &- 1
        let wanted = subscription.pointee.index + 1
        var gap =
            unsafe hash(
                subscription.pointee.spacedSID + 1, Int(subscription.pointee.spacedSIDCount) - 2)
            & mask
        while unsafe entries[Int(gap)].place != wanted {
            guard unsafe entries[Int(gap)].place != 0 else { return }
            gap = (gap &+ 1) & mask
        }
        unsafe entries[Int(gap)].place = 0
        var next = (gap &+ 1) & mask
        while unsafe entries[Int(next)].place != 0 {
            let home = unsafe entries[Int(next)].hash & mask
            if (next &- home) & mask >= (next &- gap) & mask {
                unsafe entries[Int(gap)] = unsafe entries[Int(next)]
                unsafe entries[Int(next)].place = 0
                gap = next
            }
            next = (next &+ 1) & mask
        }
        count -= 1
        if count == 0 { release(pool) }
    }

    /// Calls `body` with every subscription; `body` must not change the table.
    func forEach(in slab: Slab<Subscription>, _ body: (SubscriptionRef) -> Void) {
        for i in 0..<Int(capacity) {
            let place = unsafe entries.unsafelyUnwrapped[i].place
            if place != 0 { body(slab[Int(place - 1)]) }
        }
    }

    /// How far somebody has come who goes through the table with pauses.
    struct Cursor {
        fileprivate var position = 0
        fileprivate var capacity: UInt32 = 0

        /// The table has been made anew since: all have other places.
        func isOutdated(for table: SubscriptionTable) -> Bool {
            position > 0 && capacity != table.capacity
        }
    }

    /// The subscription behind the cursor; empty places are passed over.
    func next(_ cursor: inout Cursor, in slab: Slab<Subscription>) -> SubscriptionRef? {
        cursor.capacity = capacity
        while cursor.position < Int(capacity) {
            let place = unsafe entries.unsafelyUnwrapped[cursor.position].place
            cursor.position += 1
            if place != 0 { return slab[Int(place - 1)] }
        }
        return nil
    }

    /// The same, out of a table in which nobody looks anything up any more.
    mutating func takeNext(_ cursor: inout Cursor, in slab: Slab<Subscription>) -> SubscriptionRef?
    {
        let record = next(&cursor, in: slab)
        if record != nil { count -= 1 }
        return record
    }

    mutating func release(_ pool: BlockPool) {
        if let entries = unsafe entries {
            unsafe pool.free(entries, Int(capacity) * MemoryLayout<Entry>.stride)
        }
        unsafe entries = nil
        capacity = 0
        count = 0
    }

    private func place(_ entry: Entry) {
        let mask = capacity &- 1
        var i = entry.hash & mask
        while unsafe entries.unsafelyUnwrapped[Int(i)].place != 0 { i = (i &+ 1) & mask }
        unsafe entries.unsafelyUnwrapped[Int(i)] = entry
    }

    private mutating func grow(_ pool: BlockPool) throws(OutOfMemory) {
        let stride = MemoryLayout<Entry>.stride
        let old = unsafe entries
        let oldCapacity = capacity
        let wanted = max(4, oldCapacity * 2)
        guard let block = unsafe pool.allocateOverBudget(Int(wanted) * stride) else {
            throw OutOfMemory()
        }
        capacity = wanted
        let fresh = unsafe block.assumingMemoryBound(to: Entry.self)
        unsafe fresh.initialize(repeating: Entry(hash: 0, place: 0), count: Int(capacity))
        unsafe entries = fresh
        guard let old = unsafe old else { return }
        for i in 0..<Int(oldCapacity) where unsafe old[i].place != 0 { unsafe place(old[i]) }
        unsafe pool.free(old, Int(oldCapacity) * stride)
    }
}
