// Message path, beside Subscribe.swift: a connection's subscriptions by their sid.

import Glibc

/// Finds a connection's subscriptions by the sid its client chose. It holds indexes of the loop's subscription
/// slab; empty, it holds no memory.
struct SubscriptionTable {
    struct Entry: TableEntry {
        let hash: UInt32
        /// The slab's index plus one; 0 is an empty entry.
        fileprivate let place: UInt32

        static var empty: Entry { Entry(hash: 0, place: 0) }
        @inline(__always) var isEmpty: Bool { place == 0 }
        fileprivate var index: Int { Int(place - 1) }
    }

    private var entries = PartedTable<Entry>()
    /// Secret, or a client could choose sids that all have one place: 40,000 took 7 s.
    private var seed: UInt64 = 0

    var count: UInt32 { entries.count }

    private func hash(_ sid: Bytes, _ count: Int) -> UInt32 {
        unsafe UInt32(truncatingIfNeeded: SubjectHash.bytes(sid, count, seed: seed))
    }

    private func hash(of subscription: SubscriptionRef) -> UInt32 {
        unsafe hash(
            subscription.pointee.spacedSID + 1, Int(subscription.pointee.spacedSIDCount) - 2)
    }

    func find(_ sid: Bytes, _ length: Int, in slab: Slab<Subscription>) -> SubscriptionRef? {
        guard count > 0 else { return nil }
        let hash = unsafe self.hash(sid, length)
        let found = entries.find(hash) { entry in
            guard entry.hash == hash else { return false }
            let found = slab[entry.index]
            return unsafe Int(found.pointee.spacedSIDCount) == length + 2
                && memcmp(found.pointee.spacedSID + 1, sid, length) == 0
        }
        return found.map { slab[$0.index] }
    }

    /// - Parameter seed: of the hashes, taken when the table has been empty.
    mutating func insert(
        _ subscription: SubscriptionRef, pool: BlockPool, seed: UInt64
    ) throws(OutOfMemory) {
        if count == 0 { self.seed = seed }
        try entries.insert(
            Entry(hash: hash(of: subscription), place: subscription.pointee.index + 1), from: pool)
    }

    mutating func remove(_ subscription: SubscriptionRef, pool: BlockPool) {
        let wanted = subscription.pointee.index + 1
        entries.remove(hash(of: subscription), where: { $0.place == wanted }, to: pool)
    }

    /// Calls `body` with every subscription; `body` must not change the table.
    func forEach(in slab: Slab<Subscription>, _ body: (SubscriptionRef) -> Void) {
        entries.visitAll { body(slab[$0.index]) }
    }

    typealias Cursor = PartedTable<Entry>.Cursor

    /// Whether all that the cursor is about has other places now.
    func isOutdated(_ cursor: Cursor) -> Bool { cursor.isOutdated(for: entries) }

    /// The subscription behind the cursor.
    func next(_ cursor: inout Cursor, in slab: Slab<Subscription>) -> SubscriptionRef? {
        entries.next(&cursor).map { slab[$0.index] }
    }

    /// The same, taken out. Others may be taken out meanwhile, but none put in.
    mutating func removeNext(
        _ cursor: inout Cursor, in slab: Slab<Subscription>, pool: BlockPool
    ) -> SubscriptionRef? {
        entries.removeNext(&cursor, to: pool).map { slab[$0.index] }
    }

    mutating func release(_ pool: BlockPool) { entries.release(to: pool) }
}
