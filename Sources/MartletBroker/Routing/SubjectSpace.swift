import Glibc
import Synchronization

/// The subjects of one account: the tree, the lock around it, and counts that say what changed.
///
/// Every subscription that comes or goes bumps one or two of a few thousand generation counts, chosen
/// by its subject; a cached route remembers the counts that could concern it, read before the match,
/// and holds while they are the same. So a change invalidates the routes it may concern and no others.
///
/// SAFETY: allocated with the account and freed with it; `contents` is reached with `lock` held,
/// the rest is atomic or never changes.
@safe
struct SubjectSpace: ~Copyable {
    /// A slot for each hash, and the last one for filters that start with a wildcard.
    static let slotCount = 4_096

    let seed: UInt64
    let lock: UnsafeMutablePointer<pthread_mutex_t>
    let generations: UnsafeMutablePointer<Atomic<UInt32>>
    /// How often any of them was bumped: while it stays the same, they need not be looked at.
    let changes: UnsafeMutablePointer<Atomic<UInt64>>
    /// Reached with the lock held.
    let contents: StablePointer<Contents>

    struct Contents {
        var tree: SubjectTree
        var inserts = 0
        var removes = 0
        /// Matches in the tree, which are the misses of the caches.
        var matches = 0
        var observers: [any InterestObserver] = []
    }

    init(budget: MemoryBudget, seed: UInt64) {
        self.seed = seed
        unsafe lock = .allocate(capacity: 1)
        unsafe pthread_mutex_init(lock, nil)
        unsafe generations = .allocate(capacity: Self.slotCount + 1)
        for i in 0...Self.slotCount { unsafe (generations + i).initialize(to: Atomic(0)) }
        unsafe changes = .allocate(capacity: 1)
        unsafe changes.initialize(to: Atomic(0))
        contents = StablePointer(
            allocating: Contents(tree: SubjectTree(budget: budget, seed: seed)))
    }

    deinit {
        contents.pointee.tree.destroy()
        contents.destroy()
        unsafe generations.deallocate()
        unsafe changes.deallocate()
        unsafe pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
    }
}

typealias SubjectSpaceRef = StablePointer<SubjectSpace>

/// The generation slots that a subject's routes depend on.
struct InterestSlots: BitwiseCopyable {
    /// Of literal subscriptions: to the subject itself (an exact route), or to any subject with
    /// this parent (a parent's route).
    var literal: UInt32
    /// Of wildcard filters that start with the subject's first two tokens, or its first one.
    var twoTokens: UInt32
    var oneToken: UInt32

    private static let parentSalt: UInt64 = 0xA076_1D64_78BD_642F
    private static let twoSalt: UInt64 = 0xE703_7ED1_A0B4_28DB
    private static let oneSalt: UInt64 = 0x8EBC_6AF0_9C88_C6E3

    @inline(__always)
    static func slot(_ hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: hash &>> 20) & UInt32(SubjectSpace.slotCount - 1)
    }

    static func exact(_ hash: UInt64) -> UInt32 { slot(hash) }
    static func parent(_ hash: UInt64) -> UInt32 { slot(SubjectHash.mix(hash, parentSalt)) }

    static func twoTokens(_ bytes: Bytes, _ count: Int, seed: UInt64) -> UInt32 {
        unsafe slot(SubjectHash.mix(SubjectHash.bytes(bytes, count, seed: seed), twoSalt))
    }

    static func oneToken(_ bytes: Bytes, _ count: Int, seed: UInt64) -> UInt32 {
        unsafe slot(SubjectHash.mix(SubjectHash.bytes(bytes, count, seed: seed), oneSalt))
    }

    /// Those of a published subject, for its exact route and for its parent's.
    static func of(
        subject: Bytes, _ count: Int, hash: UInt64, parentHash: UInt64, seed: UInt64
    ) -> (exact: InterestSlots, parent: InterestSlots) {
        let (first, second, tokens) = unsafe leadingTokens(subject, count)
        let one = unsafe oneToken(subject, first, seed: seed)
        // A filter with two leading literal tokens and a wildcard needs a third token to match.
        let two = unsafe tokens > 2 ? twoTokens(subject, second, seed: seed) : one
        return (
            InterestSlots(literal: exact(hash), twoTokens: two, oneToken: one),
            InterestSlots(literal: parent(parentHash), twoTokens: two, oneToken: one)
        )
    }

    /// Where the first and second token end, and how many tokens there are.
    static func leadingTokens(
        _ bytes: Bytes, _ count: Int
    ) -> (first: Int, second: Int, tokens: Int) {
        var ends = (count, count)
        var tokens = 1
        for i in 0..<count where unsafe bytes[i] == .dot {
            if tokens == 1 { ends.0 = i } else if tokens == 2 { ends.1 = i }
            tokens += 1
        }
        return (ends.0, ends.1, tokens)
    }
}

extension SubjectSpace {
    /// Adds a subscription with a valid subject. When this returns, every publish that starts later,
    /// on any loop, sees it. Without memory nothing is added.
    func insert(_ subscription: SubscriptionRef) throws(OutOfMemory) {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        let isFirst = try contents.pointee.tree.insert(subscription)
        contents.pointee.inserts += 1
        bumpGenerations(of: subscription)
        if isFirst, !contents.pointee.observers.isEmpty { announce(subscription, +1) }
    }

    /// Puts another record in the place of one, for a subscription that goes to another loop: whoever matches sees
    /// the one or the other. Nothing happens where the old one has gone.
    func replace(_ old: SubscriptionRef, with new: SubscriptionRef) {
        unsafe pthread_mutex_lock(lock)
        if contents.pointee.tree.replace(old, with: new) { bumpGenerations(of: new) }
        unsafe pthread_mutex_unlock(lock)
    }

    func remove(_ subscription: SubscriptionRef) {
        unsafe pthread_mutex_lock(lock)
        let wasLast = contents.pointee.tree.remove(subscription)
        contents.pointee.removes += 1
        bumpGenerations(of: subscription)
        if wasLast, !contents.pointee.observers.isEmpty { announce(subscription, -1) }
        unsafe pthread_mutex_unlock(lock)
    }

    private func bumpGenerations(of subscription: SubscriptionRef) {
        let subject = unsafe UnsafePointer(subscription.pointee.subject)
        let count = Int(subscription.pointee.subjectCount)
        switch unsafe leadingLiterals(subject, count) {
        case .all:
            let cut = unsafe SubjectHash.lastTokenStart(subject, count)
            let parent = unsafe SubjectHash.bytes(subject, max(0, cut - 1), seed: seed)
            let last = unsafe SubjectHash.bytes(subject + cut, count - cut, seed: seed)
            bump(InterestSlots.exact(SubjectHash.join(parent, last)))
            bump(InterestSlots.parent(parent))
        case .two(let end): unsafe bump(InterestSlots.twoTokens(subject, end, seed: seed))
        case .one(let end): unsafe bump(InterestSlots.oneToken(subject, end, seed: seed))
        case .none: bump(UInt32(Self.slotCount))
        }
    }

    private func bump(_ slot: UInt32) {
        unsafe generations[Int(slot)].wrappingAdd(1, ordering: .acquiringAndReleasing)
        unsafe changes.pointee.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }

    private enum LeadingLiterals {
        case all
        case two(end: Int)
        case one(end: Int)
        case none
    }

    /// How many tokens stand before the first wildcard, where it matters.
    private func leadingLiterals(_ subject: Bytes, _ count: Int) -> LeadingLiterals {
        var ends = (0, 0)
        var tokens = 0
        var start = 0
        for i in 0...count where unsafe i == count || subject[i] == .dot {
            if i - start == 1, unsafe Subject.isWildcard(subject[start]) {
                return tokens == 0 ? .none : tokens == 1 ? .one(end: ends.0) : .two(end: ends.1)
            }
            if tokens == 0 { ends.0 = i } else if tokens == 1 { ends.1 = i }
            tokens += 1
            start = i + 1
        }
        return .all
    }
}
