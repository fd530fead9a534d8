import Glibc

/// One subscription in a route, by value: nothing here points into another loop's slabs but the
/// subscription's record, which stays mapped.
///
/// SAFETY: a subscription's record stays mapped while its loop lives; `state` tells whether it is
/// still the same tenant.
@safe
struct Destination: BitwiseCopyable {
    var subscription: SubscriptionRef
    /// The record's state when the route was made.
    var state: UInt64
    var connection: SlabHandle
    var loop: UInt16
    var kind: SubscriptionKind
}

/// Members of one queue group in a route's destinations, and the group's name in the route's block.
struct QueueSpan: BitwiseCopyable {
    var start: UInt32
    var count: UInt32
    var nameStart: UInt32
    var nameCount: UInt32
}

/// What keeps `PublishFastPath` from serving a route; nothing does where all of it is plain subscriptions
/// of the loop that asked.
struct RouteTraits: OptionSet, BitwiseCopyable {
    let rawValue: UInt8

    /// Nobody has subscribed.
    static let nobody = RouteTraits(rawValue: 1)
    static let queueGroups = RouteTraits(rawValue: 2)
    static let otherLoops = RouteTraits(rawValue: 4)
    /// A subscription whose deliveries are more than a copied frame.
    static let otherKinds = RouteTraits(rawValue: 8)
    /// Its match is not done: it takes longer than anybody may wait for.
    static let unfinished = RouteTraits(rawValue: 32)
    /// More destinations than a turn delivers to.
    static let wide = RouteTraits(rawValue: 64)
    /// The subject may be one that clients must not publish to.
    static let suspectSubject = RouteTraits(rawValue: 16)
}

/// Who gets a message of one subject: `plainCount` subscriptions, then the members of each queue
/// group, then the groups and their names: one block of memory.
///
/// SAFETY: `block` holds `plainCount + memberCount` destinations, then `groupCount` spans, then
/// their names; without any of them it is nil, and nobody asks for places in it.
@safe
struct Route: BitwiseCopyable {
    var block: UnsafeMutableRawPointer?
    var blockBytes: UInt32
    var plainCount: UInt32
    var groupCount: UInt32
    var memberCount: UInt32
    var traits: RouteTraits = .nobody

    /// Delivered to in one turn, which takes 100 to 300 µs.
    static let plainCountAtOnce = 2_048

    static var empty: Route {
        unsafe Route(block: nil, blockBytes: 0, plainCount: 0, groupCount: 0, memberCount: 0)
    }

    /// The one test of the fast path: copying a frame to each destination is all there is to do.
    @inline(__always) var isPlainHere: Bool { traits.isEmpty }
    @inline(__always) var isEmpty: Bool { plainCount | groupCount == 0 }

    /// What is special about it for a loop.
    func traits(on loop: Int) -> RouteTraits {
        guard !isEmpty else { return .nobody }
        var traits: RouteTraits = []
        if groupCount > 0 { traits.insert(.queueGroups) }
        if plainCount > Self.plainCountAtOnce { traits.insert(.wide) }
        for i in 0..<destinationCount {
            let destination = unsafe destinations[i]
            if Int(destination.loop) != loop { traits.insert(.otherLoops) }
            if !destination.kind.takesCopiedFrames { traits.insert(.otherKinds) }
        }
        return traits
    }

    var destinationCount: Int { Int(plainCount &+ memberCount) }

    /// The plain destinations, followed by the groups' members.
    @inline(__always)
    var destinations: UnsafeMutablePointer<Destination> {
        unsafe block.unsafelyUnwrapped.assumingMemoryBound(to: Destination.self)
    }

    @inline(__always)
    var groups: UnsafeMutablePointer<QueueSpan> {
        unsafe (block.unsafelyUnwrapped
            + Int(plainCount &+ memberCount) &* MemoryLayout<Destination>.stride)
            .assumingMemoryBound(to: QueueSpan.self)
    }

    /// A group's name; kept here because the members' records may be recycled while it is needed.
    func name(of group: QueueSpan) -> CountedBytes {
        unsafe CountedBytes(nameStart(of: group), Int(group.nameCount))
    }

    private func nameStart(of group: QueueSpan) -> MutableBytes {
        unsafe (block.unsafelyUnwrapped + Int(group.nameStart)).assumingMemoryBound(to: UInt8.self)
    }

    /// Writes a group's name, for which the block has room.
    func setName(of group: QueueSpan, to name: MutableBytes) {
        unsafe memcpy(nameStart(of: group), name, Int(group.nameCount))
    }

    static func byteCount(destinations: Int, groups: Int) -> Int {
        destinations * MemoryLayout<Destination>.stride + groups * MemoryLayout<QueueSpan>.stride
    }
}

/// How much of everything a route has, before it is made.
struct RouteShape {
    var plainCount = 0
    var memberCount = 0
    var groupCount = 0
    var nameBytes = 0

    var destinationCount: Int { plainCount + memberCount }
    var byteCount: Int {
        Route.byteCount(destinations: destinationCount, groups: groupCount) + nameBytes
    }
}
