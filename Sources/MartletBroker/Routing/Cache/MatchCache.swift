import CMartletSystem
import Glibc
import Synchronization

/// A loop's memory of routes, on two levels: by exact subject, and by parent (the subject less its
/// last token) where no subscription tells last tokens apart. Replies go to subjects that are used
/// once (`_INBOX.<id>.<token>`): the second level answers for all of them without a lock, and they
/// never enter the first.
///
/// Four ways to a set; the oldest way is replaced. The table is zeroed memory that the system maps
/// when a set is first used. Keys and routes take `bytesMax` at most, for which the oldest ways go; a
/// route for which there is no room serves the one message that asked for it.
///
/// SAFETY: one thread. Keys and routes are blocks of the loop's pool, freed when their way is reused.
@safe
struct MatchCache {
    static let setCount = 2_048
    static let ways = 4

    /// SAFETY: `key` is a block of `keyCount` bytes of the loop's pool while `space` is not 0, and
    /// `held` holds its route; `older` and `newer` are ways that are in use.
    @safe
    struct Way {
        /// First, so that its route's address is the way's.
        var held = HeldRoute.empty
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
        /// Its neighbours in the order in which ways were put to use.
        var older: WayRef?
        var newer: WayRef?
    }

    typealias WayRef = UnsafeMutablePointer<Way>

    /// What changes with a miss.
    ///
    /// SAFETY: `oldest` and `newest` are ways of `table` that are in use, or nil.
    @safe
    struct State {
        /// Of keys, and of blocks that are a way's own.
        var ownBytes = 0
        var shared = SharedRoutes()
        var oldest: WayRef?
        var newest: WayRef?
    }

    enum Level: UInt8 {
        case exact
        case parent
        /// Last tokens matter below this parent: look on the exact level.
        case dependsOnLastToken
    }

    let table: WayRef
    let victims: UnsafeMutablePointer<UInt8>
    let loop: Int
    let pool: BlockPool
    let bytesMax: Int
    let counters: StablePointer<LoopCounters>
    let work: StablePointer<SliceWork>
    /// The way of the exact level that answered last. A publisher often stays with one subject, and
    /// comparing it costs less than hashing it.
    private let last: StablePointer<WayRef>
    /// Used by every match of this loop.
    let matching: StablePointer<SubjectMatch>
    let state = StablePointer(allocating: State())
    /// Of a match that is cut into pieces.
    let longMatching: StablePointer<SubjectMatch>
    /// The answer where a match takes longer than its caller may wait, or there is no memory for its route.
    let unfinished: StablePointer<Route>
    /// The last route that there was no room for.
    let unkept = StablePointer(allocating: HeldRoute.empty)

    init(
        loop: Int, pool: BlockPool, budget: MemoryBudget, bytesMax: Int,
        counters: StablePointer<LoopCounters>, work: StablePointer<SliceWork>
    ) {
        matching = StablePointer(allocating: SubjectMatch(budget: budget))
        longMatching = StablePointer(allocating: SubjectMatch(budget: budget))
        self.loop = loop
        self.pool = pool
        self.bytesMax = bytesMax
        self.counters = counters
        self.work = work
        let bytes = Self.setCount * Self.ways * MemoryLayout<Way>.stride
        // calloc maps zero pages on demand; all-zero bytes are a way without a space, which is free.
        unsafe table = calloc(1, bytes)!.bindMemory(
            to: Way.self, capacity: Self.setCount * Self.ways)
        unsafe victims = calloc(1, Self.setCount)!.bindMemory(
            to: UInt8.self, capacity: Self.setCount)
        unsafe last = unsafe StablePointer(allocating: table)
        var route = Route.empty
        route.traits = .unfinished
        unfinished = StablePointer(allocating: route)
    }

    func destroy() {
        unsafe Glibc.free(table)
        unsafe Glibc.free(victims)
        unsafe last.destroy()
        matching.pointee.destroy()
        matching.destroy()
        longMatching.pointee.destroy()
        longMatching.destroy()
        unfinished.destroy()
        state.pointee.shared.destroy()
        state.destroy()
        unkept.destroy()
    }

    /// The route of a subject, or `unfinished`: then a `LongMatch` finds it. Valid until the next call.
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
    func find(
        _ hash: UInt64, _ level: Level, _ key: CountedBytes, _ space: SubjectSpaceRef
    ) -> WayRef? {
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
    private func holds(_ way: WayRef, _ space: SubjectSpaceRef) -> Bool {
        let changes = unsafe space.pointee.changes.pointee.load(ordering: .acquiring)
        return unsafe way.pointee.changes == changes || stillHolds(way, space, after: changes)
    }

    @inline(never)
    private func stillHolds(
        _ way: WayRef, _ space: SubjectSpaceRef, after changes: UInt64
    ) -> Bool {
        let now = unsafe Self.generations(way.pointee.slots, space)
        let then = unsafe way.pointee.generations
        guard (now.0 ^ then.0) | (now.1 ^ then.1) | (now.2 ^ then.2) | (now.3 ^ then.3) == 0
        else { return false }
        unsafe way.pointee.changes = changes
        return true
    }

    @inline(__always)
    static func generations(
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

    @inline(__always)
    static func route(of way: WayRef) -> StablePointer<Route> {
        unsafe StablePointer(UnsafeMutableRawPointer(way).assumingMemoryBound(to: Route.self))
    }
}
