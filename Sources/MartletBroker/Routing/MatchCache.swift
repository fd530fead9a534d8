import CMartletSystem
import Glibc
import Synchronization

/// A loop's memory of routes, on two levels: by exact subject, and by parent (the subject less its
/// last token) where no subscription tells last tokens apart. Replies go to subjects that are used
/// once (`_INBOX.<id>.<token>`): the second level answers for all of them without a lock, and they
/// never enter the first.
///
/// Four ways to a set; the oldest way is replaced. The table is zeroed memory that the system maps
/// when a set is first used.
///
/// SAFETY: one thread. Keys and routes are blocks of the loop's pool, freed when their way is reused.
@safe
struct MatchCache {
    private static let setCount = 2_048
    private static let ways = 4

    /// SAFETY: `key` is a block of `keyCount` bytes of the loop's pool while `space` is not 0, and
    /// `route` owns its block.
    @safe
    private struct Way {
        /// First, so that its address is the way's.
        var route = Route.empty
        var hash: UInt64 = 0
        /// The space, as `StablePointer.bits`; 0 where the way is free.
        var space: UInt = 0
        var key: MutableBytes?
        var keyCount: UInt32 = 0
        var level = Level.exact
        var slots = InterestSlots(literal: 0, twoTokens: 0, oneToken: 0)
        var generations: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        /// The space's changes when the generations were last found to be the same.
        var changes: UInt64 = 0
    }

    private enum Level: UInt8 {
        case exact
        case parent
        /// Last tokens matter below this parent: look on the exact level.
        case dependsOnLastToken
    }

    private let table: UnsafeMutablePointer<Way>
    private let victims: UnsafeMutablePointer<UInt8>
    private let loop: Int
    private let pool: BlockPool
    private let counters: StablePointer<LoopCounters>
    /// The way of the exact level that answered last. A publisher often stays with one subject, and
    /// comparing it costs less than hashing it.
    private let last: StablePointer<UnsafeMutablePointer<Way>>
    /// Used by every match of this loop.
    private let matching = StablePointer(allocating: SubjectMatch())

    init(loop: Int, pool: BlockPool, counters: StablePointer<LoopCounters>) {
        self.loop = loop
        self.pool = pool
        self.counters = counters
        let bytes = Self.setCount * Self.ways * MemoryLayout<Way>.stride
        // calloc maps zero pages on demand; all-zero bytes are a way without a space, which is free.
        unsafe table = calloc(1, bytes)!.bindMemory(
            to: Way.self, capacity: Self.setCount * Self.ways)
        unsafe victims = calloc(1, Self.setCount)!.bindMemory(
            to: UInt8.self, capacity: Self.setCount)
        unsafe last = unsafe StablePointer(allocating: table)
    }

    /// Gives every key and route back to the pool.
    func removeAll() {
        for i in 0..<(Self.setCount * Self.ways) where unsafe table[i].space != 0 {
            unsafe freeRoute(of: table + i)
            if let key = unsafe table[i].key { unsafe pool.free(key, Int(table[i].keyCount)) }
            unsafe table[i].key = nil
            unsafe table[i].space = 0
        }
    }

    func destroy() {
        unsafe Glibc.free(table)
        unsafe Glibc.free(victims)
        unsafe last.destroy()
        matching.pointee.destroy()
        matching.destroy()
    }

    /// The route of a subject. Valid until the next call.
    @inline(__always)
    func route(of subject: CountedBytes, in space: SubjectSpaceRef) -> StablePointer<Route> {
        let way = unsafe last.pointee
        if unsafe way.pointee.space == space.bits,
            unsafe Int(way.pointee.keyCount) == subject.count,
            unsafe way.pointee.level == .exact,
            unsafe martlet_equal(
                way.pointee.key.unsafelyUnwrapped, subject.start, subject.count),
            unsafe holds(way, space)
        {
            counters.pointee.cacheHits.add(1)
            return unsafe Self.route(of: way)
        }
        return search(subject, space)
    }

    @inline(never)
    private func search(
        _ subject: CountedBytes, _ space: SubjectSpaceRef
    ) -> StablePointer<Route> {
        let seed = space.pointee.seed
        let cut = unsafe SubjectHash.lastTokenStart(subject.start, subject.count)
        let parent = subject.prefix(max(0, cut &- 1))
        let parentHash = unsafe SubjectHash.bytes(parent.start, parent.count, seed: seed)
        let lastHash = unsafe SubjectHash.bytes(
            subject.start + cut, subject.count &- cut, seed: seed)
        let hash = SubjectHash.join(parentHash, lastHash)
        if let way = unsafe find(hash, .exact, subject, space), unsafe holds(way, space) {
            counters.pointee.cacheHits.add(1)
            unsafe last.pointee = way
            return unsafe Self.route(of: way)
        }
        // A subject that starts with a dot has an empty token, not the parent of one-token subjects.
        if let way = unsafe find(parentHash, .parent, parent, space),
            unsafe way.pointee.level == .parent, subject.count > cut, cut != 1,
            unsafe holds(way, space)
        {
            counters.pointee.cacheHits.add(1)
            return unsafe Self.route(of: way)
        }
        return match(subject, hash, parent, parentHash, space)
    }

    @inline(__always)
    private func find(
        _ hash: UInt64, _ level: Level, _ key: CountedBytes, _ space: SubjectSpaceRef
    ) -> UnsafeMutablePointer<Way>? {
        let set =
            unsafe table + Int(truncatingIfNeeded: hash & UInt64(Self.setCount - 1)) &* Self.ways
        for i in 0..<Self.ways {
            let way = unsafe set + i
            if unsafe way.pointee.hash == hash, unsafe way.pointee.space == space.bits,
                unsafe Int(way.pointee.keyCount) == key.count,
                unsafe (way.pointee.level == .exact) == (level == .exact),
                unsafe key.isEmpty
                    || martlet_equal(way.pointee.key.unsafelyUnwrapped, key.start, key.count)
            {
                return unsafe way
            }
        }
        return nil
    }

    @inline(__always)
    private func holds(_ way: UnsafeMutablePointer<Way>, _ space: SubjectSpaceRef) -> Bool {
        let changes = unsafe space.pointee.changes.pointee.load(ordering: .acquiring)
        return unsafe way.pointee.changes == changes || stillHolds(way, space, after: changes)
    }

    @inline(never)
    private func stillHolds(
        _ way: UnsafeMutablePointer<Way>, _ space: SubjectSpaceRef, after changes: UInt64
    ) -> Bool {
        let now = unsafe Self.generations(way.pointee.slots, space)
        let then = unsafe way.pointee.generations
        guard (now.0 ^ then.0) | (now.1 ^ then.1) | (now.2 ^ then.2) | (now.3 ^ then.3) == 0
        else { return false }
        unsafe way.pointee.changes = changes
        return true
    }

    @inline(__always)
    private static func generations(
        _ slots: InterestSlots, _ space: SubjectSpaceRef
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        let all = unsafe space.pointee.generations
        return unsafe (
            all[Int(slots.literal)].load(ordering: .acquiring),
            all[Int(slots.twoTokens)].load(ordering: .acquiring),
            all[Int(slots.oneToken)].load(ordering: .acquiring),
            all[SubjectSpace.slotCount].load(ordering: .acquiring)
        )
    }

    /// Asks the tree and remembers the answer on the level where it serves most.
    @inline(never)
    private func match(
        _ subject: CountedBytes, _ hash: UInt64, _ parent: CountedBytes, _ parentHash: UInt64,
        _ space: SubjectSpaceRef
    ) -> StablePointer<Route> {
        let slots = unsafe InterestSlots.of(
            subject: subject.start, subject.count, hash: hash, parentHash: parentHash,
            seed: space.pointee.seed)
        // Read before the match: a change during it makes the entry stale, never wrong.
        let changes = unsafe space.pointee.changes.pointee.load(ordering: .acquiring)
        let exactGenerations = Self.generations(slots.exact, space)
        let parentGenerations = Self.generations(slots.parent, space)
        unsafe pthread_mutex_lock(space.pointee.lock)
        let contents = space.pointee.contents
        unsafe contents.pointee.tree.match(
            subject.start, subject.count, into: &matching.pointee)
        var route = contents.pointee.tree.makeRoute(&matching.pointee, pool: pool)
        contents.pointee.matches += 1
        unsafe pthread_mutex_unlock(space.pointee.lock)
        let dependsOnLastToken = matching.pointee.dependsOnLastToken
        route.traits = route.traits(on: loop)
        if unsafe ReservedSubject.isSuspect(subject.start) { route.traits.insert(.suspectSubject) }
        // A subject that starts with a dot is always told apart.
        if !dependsOnLastToken || subject[0] != .dot {
            let level: Level = dependsOnLastToken ? .dependsOnLastToken : .parent
            let way = unsafe claim(parentHash, .parent, parent, space)
            unsafe fill(
                way, level, slots.parent, parentGenerations, dependsOnLastToken ? .empty : route)
            unsafe way.pointee.changes = changes
            if !dependsOnLastToken { return unsafe Self.route(of: way) }
        }
        let exact = unsafe claim(hash, .exact, subject, space)
        unsafe fill(exact, .exact, slots.exact, exactGenerations, route)
        unsafe exact.pointee.changes = changes
        return unsafe Self.route(of: exact)
    }

    @inline(__always)
    private static func route(of way: UnsafeMutablePointer<Way>) -> StablePointer<Route> {
        unsafe StablePointer(UnsafeMutableRawPointer(way).assumingMemoryBound(to: Route.self))
    }

    /// The way that has this key, or the oldest of its set with the key put in.
    private func claim(
        _ hash: UInt64, _ level: Level, _ key: CountedBytes, _ space: SubjectSpaceRef
    ) -> UnsafeMutablePointer<Way> {
        if let way = unsafe find(hash, level, key, space) { return unsafe way }
        let set = Int(truncatingIfNeeded: hash & UInt64(Self.setCount - 1))
        let victim = unsafe Int(victims[set])
        unsafe victims[set] = UInt8((victim + 1) % Self.ways)
        let way = unsafe table + set * Self.ways + victim
        if let old = unsafe way.pointee.key { unsafe pool.free(old, Int(way.pointee.keyCount)) }
        if unsafe way.pointee.space == 0 { counters.pointee.cachedRoutes.add(1) }
        unsafe freeRoute(of: way)
        unsafe way.pointee.hash = hash
        unsafe way.pointee.space = space.bits
        unsafe way.pointee.keyCount = UInt32(key.count)
        unsafe way.pointee.key = nil
        if !key.isEmpty {
            let copy = unsafe pool.allocateAlways(key.count).assumingMemoryBound(to: UInt8.self)
            unsafe memcpy(copy, key.start, key.count)
            unsafe way.pointee.key = unsafe copy
        }
        return unsafe way
    }

    private func fill(
        _ way: UnsafeMutablePointer<Way>, _ level: Level, _ slots: InterestSlots,
        _ generations: (UInt32, UInt32, UInt32, UInt32), _ route: Route
    ) {
        unsafe freeRoute(of: way)
        unsafe way.pointee.level = level
        unsafe way.pointee.slots = slots
        unsafe way.pointee.generations = generations
        unsafe way.pointee.route = route
        let fanout = route.destinationCount
        counters.pointee.cachedDestinations.add(fanout)
        let record = counters.pointee.fanoutMax.total
        if fanout > record { counters.pointee.fanoutMax.add(fanout - record) }
    }

    private func freeRoute(of way: UnsafeMutablePointer<Way>) {
        guard let block = unsafe way.pointee.route.block else { return }
        unsafe counters.pointee.cachedDestinations.add(-way.pointee.route.destinationCount)
        unsafe pool.free(block, Int(way.pointee.route.blockBytes))
        unsafe way.pointee.route = .empty
    }
}
