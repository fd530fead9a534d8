import Glibc
import Synchronization

/// All subscriptions of an account by subject, token by token. Its user holds a lock around every
/// call: it is asked at SUB, at UNSUB and when a match cache misses.
///
/// SAFETY: nodes, tables and lists come from one pool and are freed with the sizes they were taken
/// with; a node lives while a subscription or a child needs it.
@safe
struct SubjectTree {
    private let pool: BlockPool
    private let root: NodeRef
    private let seed: UInt64
    /// The nodes a match has found; grows when a match finds more than ever before.
    private var found: UnsafeMutablePointer<NodeRef>
    private var foundCount = 0
    private var foundCapacity = 64

    private(set) var subscriptionCount = 0

    init(budget: MemoryBudget, seed: UInt64) {
        self.seed = seed
        pool = BlockPool(budget: budget)
        root = NodeRef(allocating: SubjectNode())
        unsafe found = .allocate(capacity: foundCapacity)
    }

    #if DEBUG
    /// What its nodes and lists take now.
    var liveBytes: Int { pool.liveBytes }
    #endif

    /// Adds a subscription whose subject is valid.
    mutating func insert(_ subscription: SubscriptionRef) {
        var node = root
        unsafe forEachToken(of: subscription) { token, count in
            node = unsafe childForInsert(of: node, token, count)
        }
        node.pointee.add(subscription, pool: pool)
        subscription.pointee.place.pointee.node = node
        subscriptionCount += 1
    }

    mutating func remove(_ subscription: SubscriptionRef) {
        guard let node = subscription.pointee.place.pointee.node else { return }
        node.pointee.remove(subscription, pool: pool)
        subscription.pointee.place.pointee.node = nil
        subscriptionCount -= 1
        prune(node)
    }

    func destroy() {
        pool.destroy()
        root.destroy()
        unsafe found.deallocate()
    }

    private func forEachToken(of subscription: SubscriptionRef, _ body: (MutableBytes, Int) -> Void)
    {
        let subject = unsafe subscription.pointee.subject
        let count = Int(subscription.pointee.subjectCount)
        var start = 0
        for i in 0...count where unsafe i == count || subject[i] == .dot {
            unsafe body(subject + start, i - start)
            start = i + 1
        }
    }

    private func childForInsert(of node: NodeRef, _ token: MutableBytes, _ count: Int) -> NodeRef {
        if count == 1, unsafe Subject.isWildcard(token[0]) {
            let isTail = unsafe token[0] == .greaterThan
            if let child = isTail ? node.pointee.anyTail : node.pointee.anyToken { return child }
            let child = unsafe makeNode(parent: node, token, count, hash: 0)
            if isTail { node.pointee.anyTail = child } else { node.pointee.anyToken = child }
            return child
        }
        let hash = unsafe tokenHash(token, count)
        if let child = unsafe node.pointee.child(token, count, hash) { return child }
        let child = unsafe makeNode(parent: node, token, count, hash: hash)
        node.pointee.addChild(child, pool: pool)
        return child
    }

    private func makeNode(
        parent: NodeRef, _ token: MutableBytes, _ count: Int, hash: UInt32
    ) -> NodeRef {
        let node = unsafe NodeRef(
            in: pool.allocateAlways(MemoryLayout<SubjectNode>.stride), SubjectNode())
        let copy = unsafe pool.allocateAlways(count).assumingMemoryBound(to: UInt8.self)
        unsafe memcpy(copy, token, count)
        node.pointee.parent = parent
        unsafe node.pointee.token = unsafe copy
        node.pointee.tokenCount = UInt32(count)
        node.pointee.tokenHash = hash
        return node
    }

    /// Removes nodes that nothing needs any more, from `node` upwards.
    private func prune(_ node: NodeRef) {
        var node = node
        while node.pointee.isUnused, let parent = node.pointee.parent {
            if parent.pointee.anyToken == node {
                parent.pointee.anyToken = nil
            } else if parent.pointee.anyTail == node {
                parent.pointee.anyTail = nil
            } else {
                parent.pointee.removeChild(node, pool: pool)
            }
            unsafe pool.free(node.pointee.token.unsafelyUnwrapped, Int(node.pointee.tokenCount))
            unsafe pool.free(node.block, MemoryLayout<SubjectNode>.stride)
            node = parent
        }
    }

    @inline(__always)
    private func tokenHash(_ token: Bytes, _ count: Int) -> UInt32 {
        unsafe UInt32(truncatingIfNeeded: SubjectHash.bytes(token, count, seed: seed))
    }
}

// MARK: - Matching

extension SubjectTree {
    /// The route of a subject, in a block from the caller's pool, and whether some subscription tells
    /// the subject's last token apart from others: if none does, the route serves every subject with
    /// the same parent. A subject with an empty token matches nothing.
    mutating func match(
        _ subject: Bytes, _ count: Int, pool: BlockPool
    ) -> (Route, dependsOnLastToken: Bool) {
        foundCount = 0
        var dependsOnLastToken = false
        guard count > 0, unsafe subject[count - 1] != .dot else {
            return (.empty, dependsOnLastToken: true)
        }
        let isValid = unsafe descend(root, subject, count, from: 0, &dependsOnLastToken)
        guard isValid else { return (.empty, dependsOnLastToken: true) }
        return (makeRoute(pool), dependsOnLastToken)
    }

    /// Collects what matches from `start` on; false when the token there is empty.
    private mutating func descend(
        _ node: NodeRef, _ subject: Bytes, _ count: Int, from start: Int,
        _ dependsOnLastToken: inout Bool
    ) -> Bool {
        var end = start
        while unsafe end < count && subject[end] != .dot { end += 1 }
        guard end > start else { return false }
        let isLast = end == count
        if isLast, node.pointee.childCount > 0 { dependsOnLastToken = true }
        if let tail = node.pointee.anyTail { collect(tail) }
        if let any = node.pointee.anyToken {
            if isLast {
                collect(any)
            } else if unsafe !descend(any, subject, count, from: end + 1, &dependsOnLastToken) {
                return false
            }
        }
        if let child = unsafe node.pointee.child(
            subject + start, end - start, tokenHash(subject + start, end - start))
        {
            if isLast {
                collect(child)
            } else {
                return unsafe descend(child, subject, count, from: end + 1, &dependsOnLastToken)
            }
        } else if !isLast, node.pointee.anyToken == nil {
            return unsafe hasNoEmptyToken(subject, count, from: end + 1)
        }
        return true
    }

    private func hasNoEmptyToken(_ subject: Bytes, _ count: Int, from start: Int) -> Bool {
        var previous = UInt8.dot
        for i in start..<count {
            if unsafe subject[i] == .dot, previous == .dot { return false }
            previous = unsafe subject[i]
        }
        return true
    }

    private mutating func collect(_ node: NodeRef) {
        guard node.pointee.plain.count > 0 || node.pointee.groupCount > 0 else { return }
        if foundCount == foundCapacity { growFound() }
        unsafe found[foundCount] = node
        foundCount += 1
    }

    @inline(never)
    private mutating func growFound() {
        let grown = UnsafeMutablePointer<NodeRef>.allocate(capacity: foundCapacity * 2)
        unsafe grown.update(from: found, count: foundCount)
        unsafe found.deallocate()
        unsafe found = grown
        foundCapacity *= 2
    }

    private func makeRoute(_ pool: BlockPool) -> Route {
        var plain = 0
        var members = 0
        var groups = 0
        var nameBytes = 0
        for i in 0..<foundCount {
            let node = unsafe found[i].pointee
            plain += Int(node.plain.count)
            for g in 0..<Int(node.groupCount) {
                unsafe members += Int(node.groups.unsafelyUnwrapped[g].members.count)
                guard isFirst(group: g, of: i) else { continue }
                groups += 1
                unsafe nameBytes += Int(node.groups.unsafelyUnwrapped[g].nameCount)
            }
        }
        let byteCount = Route.byteCount(destinations: plain + members, groups: groups) + nameBytes
        guard byteCount > 0 else { return .empty }
        let route = unsafe Route(
            block: pool.allocateAlways(byteCount), blockBytes: UInt32(byteCount),
            plainCount: UInt32(plain), groupCount: UInt32(groups), memberCount: UInt32(members))
        fill(route)
        return route
    }

    private func fill(_ route: Route) {
        var next = 0
        for i in 0..<foundCount { unsafe append(found[i].pointee.plain, to: route, at: &next) }
        var group = 0
        var nameStart = Route.byteCount(
            destinations: Int(route.plainCount + route.memberCount), groups: Int(route.groupCount))
        for i in 0..<foundCount {
            for g in unsafe 0..<Int(found[i].pointee.groupCount) where isFirst(group: g, of: i) {
                let start = next
                let head = unsafe found[i].pointee.groups.unsafelyUnwrapped[g]
                for other in i..<foundCount {
                    unsafe appendMembers(named: head, of: found[other], to: route, at: &next)
                }
                let span = QueueSpan(
                    start: UInt32(start), count: UInt32(next - start),
                    nameStart: UInt32(nameStart), nameCount: head.nameCount)
                unsafe route.groups[group] = span
                unsafe route.setName(of: span, to: head.name)
                nameStart += Int(head.nameCount)
                group += 1
            }
        }
    }

    private func appendMembers(
        named head: QueueGroup, of node: NodeRef, to route: Route, at next: inout Int
    ) {
        for g in 0..<Int(node.pointee.groupCount) {
            let group = unsafe node.pointee.groups.unsafelyUnwrapped[g]
            if unsafe group.isNamed(head.name, head.nameCount) {
                append(group.members, to: route, at: &next)
            }
        }
    }

    /// A queue group that is on several matching filters counts once: at the first of them.
    private func isFirst(group g: Int, of i: Int) -> Bool {
        let group = unsafe found[i].pointee.groups.unsafelyUnwrapped[g]
        for earlier in 0..<i {
            for h in unsafe 0..<Int(found[earlier].pointee.groupCount)
            where unsafe found[earlier].pointee.groups.unsafelyUnwrapped[h].isNamed(
                group.name, group.nameCount)
            {
                return false
            }
        }
        return true
    }

    private func append(_ list: SubscriptionList, to route: Route, at next: inout Int) {
        for i in 0..<Int(list.count) {
            let subscription = unsafe list.items.unsafelyUnwrapped[i]
            unsafe (route.destinations + next).initialize(
                to: Destination(
                    subscription: subscription,
                    // Open, even if its loop has just closed it and waits for the lock to take it out:
                    // a claim that expects it closed would succeed.
                    state: subscription.pointee.state.load(ordering: .relaxed)
                        | Subscription.openBit,
                    connection: subscription.pointee.connection,
                    loop: subscription.pointee.loop, kind: subscription.pointee.kind))
            next += 1
        }
    }
}
