/// The memory of a cache: ways in the order in which they were put to use, of which the oldest go.
extension MatchCache {
    /// Ways that one miss may take from others: many small ones must not be looked through for a wide route.
    private static let clearedMax = 64

    /// What the caches of all loops may hold: a sixteenth of the memory budget, 64 MiB each at most.
    static func bytesMax(of budget: MemoryBudget, loopCount: Int) -> Int {
        min(64 << 20, budget.bytesMax / 16 / loopCount)
    }

    var byteCount: Int { state.pointee.ownBytes + state.pointee.shared.byteCount }

    /// Whether a block for so many bytes fits, now that the oldest ways have gone for it.
    func makeRoom(for wanted: Int) -> Bool {
        let byteCount = BlockPool.capacity(for: wanted)
        guard self.byteCount + byteCount > bytesMax else { return true }
        guard byteCount <= bytesMax / 2 else { return false }
        for _ in 0..<Self.clearedMax {
            guard let oldest = unsafe state.pointee.oldest else { break }
            unsafe clear(oldest)
            if self.byteCount + byteCount <= bytesMax { return true }
        }
        return false
    }

    /// Memory is short: lets go of the routes that take most of it. Between two operations, since a message
    /// under way still has its route.
    @inline(never)
    func giveBack() {
        releaseUnkept()
        guard state.pointee.shared.byteCount > 0 else { return }
        var next = unsafe state.pointee.oldest
        while let way = unsafe next {
            unsafe next = way.pointee.newer
            if unsafe way.pointee.held.shared != nil { unsafe clear(way) }
        }
    }

    /// Gives every key and route back to the pool.
    func removeAll() {
        releaseUnkept()
        while let oldest = unsafe state.pointee.oldest { unsafe clear(oldest) }
    }

    @inline(__always)
    func releaseUnkept() {
        guard unsafe unkept.pointee.route.block != nil else { return }
        release(unkept.pointee)
        unkept.pointee = .empty
    }

    /// A way with a new key is the newest.
    func append(_ way: WayRef) {
        unsafe way.pointee.older = unsafe state.pointee.newest
        unsafe way.pointee.newer = nil
        if let newest = unsafe state.pointee.newest {
            unsafe newest.pointee.newer = unsafe way
        } else {
            unsafe state.pointee.oldest = unsafe way
        }
        unsafe state.pointee.newest = unsafe way
        unsafe state.pointee.ownBytes += Self.keyBytes(way)
        counters.pointee.cachedRoutes.add(1)
    }

    /// Frees a way that is in use, with its key and its route.
    func clear(_ way: WayRef) {
        let (older, newer) = unsafe (way.pointee.older, way.pointee.newer)
        if let older = unsafe older {
            unsafe older.pointee.newer = unsafe newer
        } else {
            unsafe state.pointee.oldest = unsafe newer
        }
        if let newer = unsafe newer {
            unsafe newer.pointee.older = unsafe older
        } else {
            unsafe state.pointee.newest = unsafe older
        }
        unsafe empty(way)
        unsafe state.pointee.ownBytes -= Self.keyBytes(way)
        if let key = unsafe way.pointee.key { unsafe pool.free(key, Int(way.pointee.keyCount)) }
        unsafe way.pointee.key = nil
        unsafe way.pointee.space = 0
        counters.pointee.cachedRoutes.add(-1)
    }

    private static func keyBytes(_ way: WayRef) -> Int {
        unsafe way.pointee.key == nil ? 0 : BlockPool.capacity(for: Int(way.pointee.keyCount))
    }

    /// Takes a way's route away.
    func empty(_ way: WayRef) {
        let held = unsafe way.pointee.held
        guard unsafe held.route.block != nil else { return }
        unsafe way.pointee.held = .empty
        state.pointee.ownBytes -= held.ownBytes
        counters.pointee.cachedDestinations.add(-held.route.destinationCount)
        release(held)
    }

    /// A route that was just asked for, for as long as the caller likes.
    func hold(_ route: StablePointer<Route>) -> HeldRoute {
        // SAFETY: a route stands at the start of its held route, whether that is a way's or `unkept`.
        let held = unsafe StablePointer<HeldRoute>(bits: route.bits).unsafelyUnwrapped
        if held == unkept {
            defer { unkept.pointee = .empty }
            return unkept.pointee
        }
        guard let shared = held.pointee.shared else {
            preconditionFailure("a way's own block has few destinations")
        }
        shared.pointee.references += 1
        return held.pointee
    }

    func release(_ held: HeldRoute) {
        guard unsafe held.route.block != nil else { return }
        guard let shared = held.shared else {
            return unsafe pool.free(held.route.block.unsafelyUnwrapped, Int(held.route.blockBytes))
        }
        shared.pointee.references -= 1
        guard shared.pointee.references == 0 else { return }
        state.pointee.shared.remove(shared)
        unsafe pool.free(shared.block, shared.pointee.blockBytes)
    }
}
