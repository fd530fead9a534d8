import Glibc

/// A route of many destinations, which all subjects that reach the same nodes of the tree share: with 5,000
/// subscriptions to `a.>`, a route of its own for each of 3,000 subjects took 740 MB. A node's edition tells
/// its subscriptions from those of any other time, so the same editions are the same destinations.
///
/// SAFETY: the header of a block of `blockBytes`: `editionCount` editions follow, then the route's block. It
/// is there while somebody holds a reference; one thread.
@safe
struct SharedRoute {
    var next: SharedRouteRef?
    let hash: UInt64
    /// The space, as `StablePointer.bits`.
    let space: UInt
    let editionCount: Int
    let blockBytes: Int
    var references = 0
    var route = Route.empty

    /// Routes of as many destinations are shared; comparing editions costs more than it saves below.
    static let destinationCountMin = 32

    /// What stands before the route's block.
    static func headerBytes(nodes: Int) -> Int {
        (MemoryLayout<SharedRoute>.stride + nodes * MemoryLayout<UInt64>.stride + 15) & ~15
    }

    static func editions(of shared: SharedRouteRef) -> UnsafeMutablePointer<UInt64> {
        unsafe (shared.block + MemoryLayout<SharedRoute>.stride)
            .assumingMemoryBound(to: UInt64.self)
    }
}

typealias SharedRouteRef = StablePointer<SharedRoute>

/// The shared routes of a cache, by what they were made of.
///
/// SAFETY: `buckets` has `bucketCount` places until `destroy()`; a route leaves its list before it is freed.
@safe
struct SharedRoutes {
    private static let bucketCount = 256

    private let buckets: UnsafeMutablePointer<SharedRouteRef?>
    /// Of all their blocks.
    private(set) var byteCount = 0

    init() {
        unsafe buckets = .allocate(capacity: Self.bucketCount)
        unsafe buckets.initialize(repeating: nil, count: Self.bucketCount)
    }

    func destroy() { unsafe buckets.deallocate() }

    static func hash(of nodes: GrowableBuffer<NodeRef>, in space: SubjectSpaceRef) -> UInt64 {
        var hash = space.pointee.seed ^ UInt64(truncatingIfNeeded: space.bits)
        let secret = space.pointee.seed.byteSwapped
        for i in 0..<nodes.count {
            hash = SubjectHash.mix(hash, secret ^ nodes[i].pointee.edition)
        }
        return hash
    }

    /// The route of these nodes as they are now; the tree's lock is held.
    func find(
        _ nodes: GrowableBuffer<NodeRef>, _ hash: UInt64, in space: SubjectSpaceRef
    ) -> SharedRouteRef? {
        var next = unsafe buckets[Self.bucket(hash)]
        while let shared = next {
            if shared.pointee.hash == hash, shared.pointee.space == space.bits,
                shared.pointee.editionCount == nodes.count, Self.isOf(shared, nodes)
            {
                return shared
            }
            next = shared.pointee.next
        }
        return nil
    }

    private static func isOf(_ shared: SharedRouteRef, _ nodes: GrowableBuffer<NodeRef>) -> Bool {
        let editions = unsafe SharedRoute.editions(of: shared)
        for i in 0..<nodes.count where unsafe editions[i] != nodes[i].pointee.edition {
            return false
        }
        return true
    }

    /// Puts a route's header into its block, whose size is that of `SharedRoute.headerBytes` and the route's.
    mutating func add(
        _ block: UnsafeMutableRawPointer, _ blockBytes: Int, _ nodes: GrowableBuffer<NodeRef>,
        _ hash: UInt64, in space: SubjectSpaceRef
    ) -> SharedRouteRef {
        let shared = unsafe SharedRouteRef(
            in: block,
            SharedRoute(
                next: buckets[Self.bucket(hash)], hash: hash, space: space.bits,
                editionCount: nodes.count, blockBytes: blockBytes))
        let editions = unsafe SharedRoute.editions(of: shared)
        for i in 0..<nodes.count { unsafe editions[i] = nodes[i].pointee.edition }
        unsafe buckets[Self.bucket(hash)] = shared
        byteCount += BlockPool.capacity(for: blockBytes)
        return shared
    }

    /// Nobody holds it any more.
    mutating func remove(_ shared: SharedRouteRef) {
        assert(shared.pointee.references == 0)
        let bucket = Self.bucket(shared.pointee.hash)
        byteCount -= BlockPool.capacity(for: shared.pointee.blockBytes)
        guard var before = unsafe buckets[bucket], before != shared else {
            unsafe buckets[bucket] = shared.pointee.next
            return
        }
        while let next = before.pointee.next, next != shared { before = next }
        before.pointee.next = shared.pointee.next
    }

    private static func bucket(_ hash: UInt64) -> Int { Int(hash & UInt64(bucketCount - 1)) }
}

/// A route, and the shared one that its block is a part of; without that, the block is its own.
///
/// SAFETY: it holds its block, or one reference to the shared route, until it is released.
@safe
struct HeldRoute: BitwiseCopyable {
    /// First, so that its address is that of whoever begins with a held route.
    var route: Route
    var shared: SharedRouteRef?

    static var empty: HeldRoute { HeldRoute(route: .empty, shared: nil) }

    /// Of the block that is its own.
    var ownBytes: Int {
        guard shared == nil, unsafe route.block != nil else { return 0 }
        return BlockPool.capacity(for: Int(route.blockBytes))
    }
}
