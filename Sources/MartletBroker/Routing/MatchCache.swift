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
struct MatchCache {
    private static let setCount = 2_048
    private static let ways = 4

    private struct Way {
        var hash: UInt64 = 0
        var space: SubjectSpaceRef?
        var key: MutableBytes?
        var keyCount: UInt32 = 0
        var level = Level.exact
        var slots = InterestSlots(literal: 0, twoTokens: 0, oneToken: 0)
        var generations: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        var route = Route.empty
    }

    private enum Level: UInt8 {
        case exact
        case parent
        /// Last tokens matter below this parent: look on the exact level.
        case parentToldApart
    }

    private let table: UnsafeMutablePointer<Way>
    private let victims: UnsafeMutablePointer<UInt8>
    private let pool: BlockPool
    private let counts: UnsafeMutablePointer<(hits: UInt64, misses: UInt64)>
    /// The way of the exact level that answered last. A publisher often stays with one subject, and
    /// comparing it costs less than hashing it.
    private let last: UnsafeMutablePointer<UnsafeMutablePointer<Way>>

    init(pool: BlockPool) {
        self.pool = pool
        let bytes = Self.setCount * Self.ways * MemoryLayout<Way>.stride
        // calloc maps zero pages on demand; all-zero bytes are a way without a space, which is free.
        table = calloc(1, bytes)!.bindMemory(to: Way.self, capacity: Self.setCount * Self.ways)
        victims = calloc(1, Self.setCount)!.bindMemory(to: UInt8.self, capacity: Self.setCount)
        counts = .allocate(capacity: 1)
        counts.initialize(to: (0, 0))
        last = .allocate(capacity: 1)
        last.initialize(to: table)
    }

    func destroy() {
        Glibc.free(table)
        Glibc.free(victims)
        counts.deallocate()
        last.deallocate()
    }

    var hits: UInt64 { counts.pointee.hits }
    var misses: UInt64 { counts.pointee.misses }

    /// The route of a subject. Valid until the next call.
    @inline(__always)
    func route(of subject: Bytes, _ count: Int, in space: SubjectSpaceRef) -> Route {
        let way = last.pointee
        if way.pointee.space == space, Int(way.pointee.keyCount) == count,
            way.pointee.level == .exact,
            martlet_equal(way.pointee.key.unsafelyUnwrapped, subject, count), holds(way, space)
        {
            counts.pointee.hits &+= 1
            return way.pointee.route
        }
        return search(subject, count, space)
    }

    @inline(never)
    private func search(_ subject: Bytes, _ count: Int, _ space: SubjectSpaceRef) -> Route {
        let seed = space.pointee.seed
        let cut = SubjectHash.lastTokenStart(subject, count)
        let parentCount = max(0, cut &- 1)
        let parentHash = SubjectHash.bytes(subject, parentCount, seed: seed)
        let lastHash = SubjectHash.bytes(subject + cut, count &- cut, seed: seed)
        let hash = SubjectHash.join(parentHash, lastHash)
        if let way = find(hash, .exact, subject, count, space), holds(way, space) {
            counts.pointee.hits &+= 1
            last.pointee = way
            return way.pointee.route
        }
        if let way = find(parentHash, .parent, subject, parentCount, space),
            way.pointee.level == .parent, count > cut, holds(way, space)
        {
            counts.pointee.hits &+= 1
            return way.pointee.route
        }
        counts.pointee.misses &+= 1
        return match(subject, count, parentCount, hash, parentHash, space)
    }

    @inline(__always)
    private func find(
        _ hash: UInt64, _ level: Level, _ key: Bytes, _ count: Int, _ space: SubjectSpaceRef
    ) -> UnsafeMutablePointer<Way>? {
        let set = table + Int(truncatingIfNeeded: hash & UInt64(Self.setCount - 1)) &* Self.ways
        for i in 0..<Self.ways {
            let way = set + i
            if way.pointee.hash == hash, way.pointee.space == space,
                Int(way.pointee.keyCount) == count, (way.pointee.level == .exact) == (level == .exact),
                count == 0 || martlet_equal(way.pointee.key.unsafelyUnwrapped, key, count)
            {
                return way
            }
        }
        return nil
    }

    @inline(__always)
    private func holds(_ way: UnsafeMutablePointer<Way>, _ space: SubjectSpaceRef) -> Bool {
        let now = Self.generations(way.pointee.slots, space)
        let then = way.pointee.generations
        return (now.0 ^ then.0) | (now.1 ^ then.1) | (now.2 ^ then.2) | (now.3 ^ then.3) == 0
    }

    @inline(__always)
    private static func generations(
        _ slots: InterestSlots, _ space: SubjectSpaceRef
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        let all = space.pointee.generations
        return (
            all[Int(slots.literal)].load(ordering: .acquiring),
            all[Int(slots.twoTokens)].load(ordering: .acquiring),
            all[Int(slots.oneToken)].load(ordering: .acquiring),
            all[SubjectSpace.slotCount].load(ordering: .acquiring)
        )
    }

    /// Asks the tree and remembers the answer on the level where it serves most.
    @inline(never)
    private func match(
        _ subject: Bytes, _ count: Int, _ parentCount: Int, _ hash: UInt64, _ parentHash: UInt64,
        _ space: SubjectSpaceRef
    ) -> Route {
        let slots = InterestSlots.of(
            subject: subject, count, hash: hash, parentHash: parentHash, seed: space.pointee.seed)
        // Read before the match: a change during it makes the entry stale, never wrong.
        let exactGenerations = Self.generations(slots.exact, space)
        let parentGenerations = Self.generations(slots.parent, space)
        pthread_mutex_lock(space.pointee.lock)
        let (route, toldApart) = space.pointee.tree.match(subject, count, pool: pool)
        space.pointee.matches += 1
        pthread_mutex_unlock(space.pointee.lock)
        let level: Level = toldApart ? .parentToldApart : .parent
        let parent = claim(parentHash, .parent, subject, parentCount, space)
        fill(parent, level, slots.parent, parentGenerations, toldApart ? .empty : route)
        if toldApart {
            let exact = claim(hash, .exact, subject, count, space)
            fill(exact, .exact, slots.exact, exactGenerations, route)
        }
        return route
    }

    /// The way that has this key, or the oldest of its set with the key put in.
    private func claim(
        _ hash: UInt64, _ level: Level, _ key: Bytes, _ count: Int, _ space: SubjectSpaceRef
    ) -> UnsafeMutablePointer<Way> {
        if let way = find(hash, level, key, count, space) { return way }
        let set = Int(truncatingIfNeeded: hash & UInt64(Self.setCount - 1))
        let victim = Int(victims[set])
        victims[set] = UInt8((victim + 1) % Self.ways)
        let way = table + set * Self.ways + victim
        if let old = way.pointee.key { pool.free(old, Int(way.pointee.keyCount)) }
        freeRoute(of: way)
        way.pointee.hash = hash
        way.pointee.space = space
        way.pointee.keyCount = UInt32(count)
        way.pointee.key = nil
        if count > 0 {
            let copy = pool.allocateAlways(count).assumingMemoryBound(to: UInt8.self)
            memcpy(copy, key, count)
            way.pointee.key = copy
        }
        return way
    }

    private func fill(
        _ way: UnsafeMutablePointer<Way>, _ level: Level, _ slots: InterestSlots,
        _ generations: (UInt32, UInt32, UInt32, UInt32), _ route: Route
    ) {
        freeRoute(of: way)
        way.pointee.level = level
        way.pointee.slots = slots
        way.pointee.generations = generations
        way.pointee.route = route
    }

    private func freeRoute(of way: UnsafeMutablePointer<Way>) {
        guard let block = way.pointee.route.block else { return }
        pool.free(block, Int(way.pointee.route.blockBytes))
        way.pointee.route = .empty
    }
}
