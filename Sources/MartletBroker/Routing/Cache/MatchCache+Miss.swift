import Glibc
import Synchronization

/// A subject that the cache does not know, and what a route of it depends on. The counts are read before the
/// match: a change during it makes the entry stale, never wrong.
///
/// SAFETY: the bytes of `subject` stay where they are until the route is kept.
@safe
struct Miss {
    let subject: CountedBytes
    let hash: UInt64
    let parent: CountedBytes
    let parentHash: UInt64
    let space: SubjectSpaceRef
    let slots: (exact: InterestSlots, parent: InterestSlots)
    let changes: UInt64
    let exactGenerations: (UInt32, UInt32, UInt32, UInt32)
    let parentGenerations: (UInt32, UInt32, UInt32, UInt32)

    init(
        _ subject: CountedBytes, _ hash: UInt64, _ parent: CountedBytes, _ parentHash: UInt64,
        _ space: SubjectSpaceRef
    ) {
        self.subject = subject
        self.hash = hash
        self.parent = parent
        self.parentHash = parentHash
        self.space = space
        slots = unsafe InterestSlots.of(
            subject: subject.start, subject.count, hash: hash, parentHash: parentHash,
            seed: space.pointee.seed)
        changes = unsafe space.pointee.changes.pointee.load(ordering: .acquiring)
        exactGenerations = MatchCache.generations(slots.exact, space)
        parentGenerations = MatchCache.generations(slots.parent, space)
    }

    /// The same, for who has no hashes yet. `search` computes them in registers: one type for both costs 22
    /// instructions more for a fresh subject.
    init(_ subject: CountedBytes, in space: SubjectSpaceRef) {
        let seed = space.pointee.seed
        let cut = unsafe SubjectHash.lastTokenStart(subject.start, subject.count)
        let parent = subject.prefix(max(0, cut &- 1))
        let parentHash = unsafe SubjectHash.bytes(parent.start, parent.count, seed: seed)
        let lastHash = unsafe SubjectHash.bytes(
            subject.start + cut, subject.count &- cut, seed: seed)
        self.init(subject, SubjectHash.join(parentHash, lastHash), parent, parentHash, space)
    }
}

/// What happens once for each new subject or changed interest: the tree is asked, and the answer is kept
/// where there is room for it.
extension MatchCache {
    /// Longer keys are not worth their memory.
    private static let keyBytesMax = 4_096

    /// Nodes visited while a caller waits, which takes about 50 µs.
    static let nodesAtOnce = 1_024

    /// Asks the tree and remembers the answer on the level where it serves most.
    @inline(never)
    func match(
        _ subject: CountedBytes, _ hash: UInt64, _ parent: CountedBytes, _ parentHash: UInt64,
        _ space: SubjectSpaceRef
    ) -> StablePointer<Route> {
        releaseUnkept()
        let miss = Miss(subject, hash, parent, parentHash, space)
        unsafe pthread_mutex_lock(space.pointee.lock)
        let contents = space.pointee.contents
        contents.pointee.tree.start(&matching.pointee)
        guard
            unsafe contents.pointee.tree.advance(
                &matching.pointee, subject.start, subject.count, nodesMax: Self.nodesAtOnce)
        else {
            unsafe pthread_mutex_unlock(space.pointee.lock)
            work.pointee.add(Self.nodesAtOnce &* SliceWork.node)
            return unfinished
        }
        let found = takeRoute(of: contents.pointee.tree, space, matching)
        contents.pointee.matches += 1
        unsafe pthread_mutex_unlock(space.pointee.lock)
        // Who asks next, when some memory may be back, is a `LongMatch`.
        guard let (held, isKept) = found else { return unfinished }
        work.pointee.add(
            SliceWork.miss &+ matching.pointee.visited &* SliceWork.node
                &+ held.route.destinationCount &* SliceWork.destination)
        matching.pointee.trim()
        return keep(
            held, isKept, of: miss, dependsOnLastToken: matching.pointee.dependsOnLastToken)
    }

    /// Puts a route where later messages find it.
    func keep(
        _ found: HeldRoute, _ isKept: Bool, of miss: Miss, dependsOnLastToken: Bool
    ) -> StablePointer<Route> {
        var held = found
        let (subject, space) = (miss.subject, miss.space)
        if unsafe ReservedSubject.isSuspect(subject.start) {
            held.route.traits.insert(.suspectSubject)
        }
        guard isKept else { return setAside(held) }
        // A subject that starts with a dot is always told apart.
        if !dependsOnLastToken || subject[0] != .dot {
            let way = unsafe claim(miss.parentHash, .parent, miss.parent, space)
            if let way = unsafe way {
                let level: Level = dependsOnLastToken ? .dependsOnLastToken : .parent
                unsafe fill(
                    way, level, miss.slots.parent, miss.parentGenerations,
                    dependsOnLastToken ? .empty : held)
                unsafe way.pointee.changes = miss.changes
            }
            if !dependsOnLastToken {
                return unsafe way.map { unsafe Self.route(of: $0) } ?? setAside(held)
            }
        }
        guard let exact = unsafe claim(miss.hash, .exact, subject, space) else {
            return setAside(held)
        }
        unsafe fill(exact, .exact, miss.slots.exact, miss.exactGenerations, held)
        unsafe exact.pointee.changes = miss.changes
        return unsafe Self.route(of: exact)
    }

    /// The route of what the match has found, held for whoever keeps it, and whether it may be kept; nil without
    /// memory for it. The tree's lock is held.
    func takeRoute(
        of tree: SubjectTree, _ space: SubjectSpaceRef, _ matching: StablePointer<SubjectMatch>
    ) -> (held: HeldRoute, isKept: Bool)? {
        let nodes = matching.pointee.found
        var hash: UInt64 = 0
        if state.pointee.shared.byteCount > 0 {
            hash = SharedRoutes.hash(of: nodes, in: space)
            if let shared = state.pointee.shared.find(nodes, hash, in: space) {
                shared.pointee.references += 1
                return (HeldRoute(route: shared.pointee.route, shared: shared), true)
            }
        }
        guard let shape = tree.shape(of: &matching.pointee) else { return nil }
        guard shape.byteCount > 0 else { return (.empty, true) }
        let isShared = shape.destinationCount >= SharedRoute.destinationCountMin
        let headerBytes = isShared ? SharedRoute.headerBytes(nodes: nodes.count) : 0
        let blockBytes = headerBytes + shape.byteCount
        guard makeRoom(for: blockBytes), let block = unsafe pool.allocate(blockBytes) else {
            guard let block = unsafe pool.allocateOverBudget(shape.byteCount) else { return nil }
            var route = unsafe tree.makeRoute(shape, of: &matching.pointee, in: block)
            route.traits = route.traits(on: loop)
            return (HeldRoute(route: route, shared: nil), false)
        }
        var route = unsafe tree.makeRoute(shape, of: &matching.pointee, in: block + headerBytes)
        route.traits = route.traits(on: loop)
        guard isShared else { return (HeldRoute(route: route, shared: nil), true) }
        if hash == 0 { hash = SharedRoutes.hash(of: nodes, in: space) }
        let shared = unsafe state.pointee.shared.add(block, blockBytes, nodes, hash, in: space)
        shared.pointee.route = route
        shared.pointee.references = 1
        return (HeldRoute(route: route, shared: shared), true)
    }

    /// For the message at hand alone.
    private func setAside(_ held: HeldRoute) -> StablePointer<Route> {
        unkept.pointee = held
        return unsafe StablePointer(unkept.block.assumingMemoryBound(to: Route.self))
    }

    /// The way that has this key, or the oldest of its set with the key put in; nil without room for the key.
    private func claim(
        _ hash: UInt64, _ level: Level, _ key: CountedBytes, _ space: SubjectSpaceRef
    ) -> WayRef? {
        if let way = unsafe find(hash, level, key, space) { return unsafe way }
        let set = Int(truncatingIfNeeded: hash & UInt64(Self.setCount - 1))
        let victim = unsafe Int(victims[set])
        let way = unsafe table + set * Self.ways + victim
        if unsafe way.pointee.space != 0 { unsafe clear(way) }
        if !key.isEmpty {
            guard key.count <= Self.keyBytesMax, makeRoom(for: key.count),
                let block = unsafe pool.allocate(key.count)
            else { return nil }
            let copy = unsafe block.assumingMemoryBound(to: UInt8.self)
            unsafe memcpy(copy, key.start, key.count)
            unsafe way.pointee.key = unsafe copy
        }
        unsafe victims[set] = UInt8((victim + 1) % Self.ways)
        unsafe way.pointee.hash = hash
        unsafe way.pointee.space = space.bits
        unsafe way.pointee.keyCount = UInt32(key.count)
        unsafe append(way)
        return unsafe way
    }

    private func fill(
        _ way: WayRef, _ level: Level, _ slots: InterestSlots,
        _ generations: (UInt32, UInt32, UInt32, UInt32), _ held: HeldRoute
    ) {
        unsafe empty(way)
        unsafe way.pointee.level = level
        unsafe way.pointee.slots = slots
        unsafe way.pointee.generations = generations
        unsafe way.pointee.held = held
        state.pointee.ownBytes += held.ownBytes
        let fanout = held.route.destinationCount
        counters.pointee.cachedDestinations.add(fanout)
        let record = counters.pointee.fanoutMax.total
        if fanout > record { counters.pointee.fanoutMax.add(fanout - record) }
    }
}
