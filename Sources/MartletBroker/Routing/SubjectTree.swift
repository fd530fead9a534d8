import Glibc

/// All subscriptions of an account by subject, token by token. Its user holds a lock around every
/// call: it is asked at SUB, at UNSUB and when a match cache misses.
///
/// SAFETY: nodes, tables and lists come from one pool and are freed with the sizes they were taken
/// with; a node lives while a subscription or a child needs it.
@safe
struct SubjectTree {
    private let pool: SlabPool
    let root: NodeRef
    private let seed: UInt64
    private(set) var subscriptionCount = 0
    private var lastEdition: UInt64 = 0
    /// Matches that are cut into pieces: no node is freed while there is one.
    private var matchesUnderWay = 0
    /// Nodes that nothing needed any more during such a match.
    private var unpruned: GrowableBuffer<NodeRef>

    init(budget: MemoryBudget, seed: UInt64) {
        self.seed = seed
        pool = SlabPool(budget: budget)
        unpruned = GrowableBuffer(budget: budget)
        root = NodeRef(allocating: SubjectNode())
    }

    /// What its nodes and lists take now.
    var liveBytes: Int { pool.liveBytes }

    /// The most that a subscription takes: of each token a node, and the table that finds it in its parent; then
    /// lists of it alone. What it shares with others grows by doubling, which each of them has paid for.
    static func bytesMax(tokens: Int, nameBytes: Int) -> Int {
        let nodeBytes = BlockPool.capacity(for: MemoryLayout<SubjectNode>.stride + 1) + 32
        return tokens * nodeBytes + 4 * nameBytes + 256
    }

    /// Adds a subscription whose subject is valid. Whether it is the first of its subject and queue. Without
    /// memory nothing is added.
    mutating func insert(_ subscription: SubscriptionRef) throws(OutOfMemory) -> Bool {
        var node = root
        let isFirst: Bool
        do throws(OutOfMemory) {
            try unsafe forEachToken(of: subscription) {
                (token, count) throws(OutOfMemory) in
                node = unsafe try childForInsert(of: node, token, count)
            }
            isFirst = try node.pointee.add(subscription, groupHash(subscription), pool: pool)
        } catch {
            prune(node)
            throw error
        }
        subscription.pointee.place.pointee.node = node
        subscriptionCount += 1
        lastEdition += 1
        node.pointee.edition = lastEdition
        return isFirst
    }

    /// Whether it was the last of its subject and queue.
    mutating func remove(_ subscription: SubscriptionRef) -> Bool {
        guard let node = subscription.pointee.place.pointee.node else { return false }
        let wasLast = node.pointee.remove(subscription, groupHash(subscription), pool: pool)
        subscription.pointee.place.pointee.node = nil
        subscriptionCount -= 1
        lastEdition += 1
        node.pointee.edition = lastEdition
        prune(node)
        return wasLast
    }

    /// Puts another record of the same names in the place of one; false when that is not there.
    mutating func replace(_ old: SubscriptionRef, with new: SubscriptionRef) -> Bool {
        guard let node = old.pointee.place.pointee.node else { return false }
        node.pointee.replace(old, with: new, groupHash(new))
        old.pointee.place.pointee.node = nil
        new.pointee.place.pointee.node = node
        lastEdition += 1
        node.pointee.edition = lastEdition
        return true
    }

    /// One subscription of each subject and queue that has any.
    func forEachInterest(_ body: (SubscriptionRef) -> Void) {
        var next = [root]
        while let node = next.popLast() {
            node.pointee.forEachInterest(body)
            node.pointee.forEachChild { next.append($0) }
        }
    }

    func destroy() {
        unpruned.destroy()
        pool.destroy()
        root.destroy()
    }

    // MARK: Matches in pieces

    /// From here to `end`, the lock may be let go of between two pieces of a match. False when too much waits
    /// to be pruned: then not now.
    mutating func begin(_ match: inout SubjectMatch) -> Bool {
        if unpruned.count > 0, matchesUnderWay == 0 { pruneSome() }
        guard unpruned.count <= Self.unprunedMax else { return false }
        matchesUnderWay += 1
        start(&match)
        return true
    }

    /// The match is over, and nobody looks at what it has found any more.
    mutating func end() {
        assert(matchesUnderWay > 0)
        matchesUnderWay -= 1
        if matchesUnderWay == 0 { pruneSome() }
    }

    private func forEachToken(
        of subscription: SubscriptionRef, _ body: (MutableBytes, Int) throws(OutOfMemory) -> Void
    ) throws(OutOfMemory) {
        let subject = unsafe subscription.pointee.subject
        let count = Int(subscription.pointee.subjectCount)
        var start = 0
        for i in 0...count where unsafe i == count || subject[i] == .dot {
            unsafe try body(subject + start, i - start)
            start = i + 1
        }
    }

    private func childForInsert(
        of node: NodeRef, _ token: MutableBytes, _ count: Int
    ) throws(OutOfMemory) -> NodeRef {
        if count == 1, unsafe Subject.isWildcard(token[0]) {
            let isTail = unsafe token[0] == .greaterThan
            if let child = isTail ? node.pointee.anyTail : node.pointee.anyToken { return child }
            let child = unsafe try makeNode(parent: node, token, count, hash: 0)
            if isTail { node.pointee.anyTail = child } else { node.pointee.anyToken = child }
            return child
        }
        let hash = unsafe tokenHash(token, count)
        if let child = unsafe node.pointee.child(token, count, hash) { return child }
        let child = unsafe try makeNode(parent: node, token, count, hash: hash)
        do throws(OutOfMemory) {
            try node.pointee.addChild(child, pool: pool)
        } catch {
            free(child)
            throw error
        }
        return child
    }

    private func makeNode(
        parent: NodeRef, _ token: MutableBytes, _ count: Int, hash: UInt32
    ) throws(OutOfMemory) -> NodeRef {
        // Node and token are one block: a short token is where the block would end anyway.
        let node = unsafe NodeRef(in: try pool.allocate(nodeBytes(count)), SubjectNode())
        let copy = unsafe (node.block + MemoryLayout<SubjectNode>.stride)
            .assumingMemoryBound(to: UInt8.self)
        unsafe memcpy(copy, token, count)
        node.pointee.parent = parent
        unsafe node.pointee.token = unsafe copy
        node.pointee.tokenCount = UInt32(count)
        node.pointee.tokenHash = hash
        return node
    }

    private func free(_ node: NodeRef) {
        unsafe pool.free(node.block, nodeBytes(Int(node.pointee.tokenCount)))
    }

    private func nodeBytes(_ tokenCount: Int) -> Int {
        MemoryLayout<SubjectNode>.stride + tokenCount
    }

    /// Removes nodes that nothing needs any more, from `node` upwards; later, if a match may come to them.
    private mutating func prune(_ node: NodeRef) {
        guard matchesUnderWay == 0 else { return pruneLater(node) }
        if unpruned.count > 0 { pruneSome() }
        pruneNow(node)
    }

    /// How many went.
    @discardableResult
    private func pruneNow(_ node: NodeRef) -> Int {
        var node = node
        var count = 0
        while node.pointee.isUnused, !node.pointee.isUnpruned, let parent = node.pointee.parent {
            if parent.pointee.anyToken == node {
                parent.pointee.anyToken = nil
            } else if parent.pointee.anyTail == node {
                parent.pointee.anyTail = nil
            } else {
                parent.pointee.removeChild(node, pool: pool)
            }
            free(node)
            node = parent
            count += 1
        }
        return count
    }

    private mutating func pruneLater(_ node: NodeRef) {
        guard node.pointee.isUnused, !node.pointee.isUnpruned, node != root else { return }
        // Without memory to remember it by, it stays until somebody comes and goes there again.
        guard unpruned.reserve(unpruned.count + 1) else { return }
        node.pointee.isUnpruned = true
        unpruned.append(node)
    }

    /// A few at a time, so that nobody pays for all that a match has held up.
    private mutating func pruneSome() {
        var count = 0
        while count < Self.prunedAtOnce, let node = unpruned.popLast() {
            node.pointee.isUnpruned = false
            count += 1 + pruneNow(node)
        }
    }

    /// A node may be the end of a chain of thousands.
    private static let prunedAtOnce = 64
    private static let unprunedMax = 4_096

    /// 0 for a plain subscription.
    private func groupHash(_ subscription: SubscriptionRef) -> UInt32 {
        guard subscription.pointee.isQueued else { return 0 }
        return unsafe tokenHash(subscription.pointee.queue, Int(subscription.pointee.queueCount))
    }

    @inline(__always)
    func tokenHash(_ token: Bytes, _ count: Int) -> UInt32 {
        unsafe UInt32(truncatingIfNeeded: SubjectHash.bytes(token, count, seed: seed))
    }
}
