import Synchronization

/// What delivering to a subscription means. Whatever is added here gets a case in
/// `BrokerLoop.deliver(_:to:)`, with a function of its own out of line, and says whether `PublishFastPath`
/// may serve it.
enum SubscriptionKind: UInt8 {
    /// A client's SUB, or a handler's: each message is a MSG or HMSG frame on its connection.
    case client

    /// A MSG frame, copied to a connection's queue, is all there is to a delivery.
    var takesCopiedFrames: Bool {
        switch self {
        case .client: true
        }
    }
}

/// A connection's interest in a subject.
///
/// Three parts, each with its own writers: what the owning loop changes with every delivery; what is
/// constant while the subscription is open and the subject tree reads; and the atomics that other
/// loops look at while they publish. Those stay mapped for ever, because the slot is recycled but
/// never freed, and stand on a cache line of their own: a delivery does not write to it.
///
/// SAFETY: `names` is a block with subject, queue and sid, as long as their counts say, while the
/// subscription is open.
@safe
struct Subscription: ~Copyable {
    // Of the owning loop. These come first: the thread sanitizer marks a change to any field of a
    // struct at the struct's start, which no other thread reads.
    var delivered = 0
    /// UNSUB's maximum, the largest number without one.
    var deliveredMax = Int.max
    /// Of those delivered, what the policy has thrown away.
    var dropped = 0

    // Constant while open.
    var kind = SubscriptionKind.client
    var loop: UInt16 = 0
    var connection = SlabHandle(index: 0, generation: 0)
    var index: UInt32 = 0
    var policy = BrokerConfiguration.SlowConsumerPolicy.close
    /// One block: the subject, the queue, then ` sid ` with a space on each side.
    var names: UnsafeMutablePointer<UInt8>?
    private(set) var spacedSIDStart: UnsafeMutablePointer<UInt8>?
    var subjectCount: UInt32 = 0
    var queueCount: UInt32 = 0
    var spacedSIDCount: UInt32 = 0
    /// Where the subject tree keeps it; under the tree's lock, whoever's thread that is.
    let place = StablePointer(allocating: TreePlace())

    var padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (
        0, 0, 0, 0, 0, 0, 0, 0
    )
    /// generation << 2 | has a maximum << 1 | is open. A route that was made for another tenant
    /// of the slot, or before the subscription closed, sees that here.
    let state = Atomic<UInt64>(0)
    /// Deliveries that publishers may still claim, tagged with the generation: who was slow to claim one
    /// of a tenant that has gone takes none from the next. Counts only while the state has a maximum.
    private let remaining = Atomic<UInt64>(0)

    struct TreePlace {
        var node: NodeRef?
        var position: UInt32 = 0
    }

    static let openBit: UInt64 = 1
    static let maximumBit: UInt64 = 2

    init(index: Int) {
        self.index = UInt32(index)
    }

    deinit {
        place.destroy()
    }

    var subject: UnsafeMutablePointer<UInt8> { unsafe names.unsafelyUnwrapped }
    var queue: UnsafeMutablePointer<UInt8> { unsafe names.unsafelyUnwrapped + Int(subjectCount) }
    @inline(__always)
    var spacedSID: UnsafeMutablePointer<UInt8> { unsafe spacedSIDStart.unsafelyUnwrapped }
    var nameBytes: Int { Int(subjectCount &+ queueCount &+ spacedSIDCount) }
    var isQueued: Bool { queueCount > 0 }

    /// Takes a block for the names, whose lengths are known.
    mutating func take(names block: UnsafeMutableRawPointer) {
        let bytes = unsafe block.assumingMemoryBound(to: UInt8.self)
        unsafe names = unsafe bytes
        unsafe spacedSIDStart = unsafe bytes + Int(subjectCount &+ queueCount)
    }
}

typealias SubscriptionRef = StablePointer<Subscription>

extension Subscription {
    /// A publisher's question, from any loop: may a message go there? Not if it is closed, recycled or
    /// has no delivery left. With an UNSUB maximum this takes one of the deliveries left.
    @inline(__always)
    static func claim(_ subscription: SubscriptionRef, expecting state: UInt64) -> Bool {
        let current = subscription.pointee.state.load(ordering: .acquiring)
        guard (current ^ state) & ~maximumBit == 0 else { return false }
        return current & maximumBit == 0 || claimOne(of: subscription, current)
    }

    @inline(never)
    private static func claimOne(of subscription: SubscriptionRef, _ current: UInt64) -> Bool {
        let tag = tag(of: current)
        var word = subscription.pointee.remaining.load(ordering: .relaxed)
        while word & ~countMask == tag, word & countMask > 0 {
            let (done, now) = subscription.pointee.remaining.compareExchange(
                expected: word, desired: word &- 1, ordering: .relaxed)
            if done { return true }
            word = now
        }
        return false
    }

    /// The delivery that was claimed could not be made.
    static func giveBackClaim(_ subscription: SubscriptionRef, expecting state: UInt64) {
        let current = subscription.pointee.state.load(ordering: .acquiring)
        guard (current ^ state) & ~maximumBit == 0, current & maximumBit != 0 else { return }
        let tag = tag(of: current)
        var word = subscription.pointee.remaining.load(ordering: .relaxed)
        while word & ~countMask == tag {
            let (done, now) = subscription.pointee.remaining.compareExchange(
                expected: word, desired: word &+ 1, ordering: .relaxed)
            if done { return }
            word = now
        }
    }

    /// The owner's: from now on publishers may claim this many deliveries.
    static func limit(_ subscription: SubscriptionRef, to count: Int) {
        let state = subscription.pointee.state.load(ordering: .relaxed)
        subscription.pointee.remaining.store(tag(of: state) | UInt64(count), ordering: .relaxed)
        subscription.pointee.state.store(state | maximumBit, ordering: .releasing)
    }

    private static let countShift: UInt64 = 40
    private static let countMask: UInt64 = 1 << countShift - 1

    private static func tag(of state: UInt64) -> UInt64 { (state >> 2) << countShift }
}
