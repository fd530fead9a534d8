import Glibc

typealias NodeRef = StablePointer<SubjectNode>

/// A token of the subject tree: its children, and the subscriptions that end here.
///
/// SAFETY: reached with the tree's lock held.
@safe
struct SubjectNode: TableKeyed {
    var parent: NodeRef?
    var token: MutableBytes?
    var tokenCount: UInt32 = 0
    var tokenHash: UInt32 = 0

    /// By their literal tokens.
    var children = PartedTable<ReferenceEntry<SubjectNode>>()
    /// The child for `*`, and the one for `>`.
    var anyToken: NodeRef?
    var anyTail: NodeRef?

    var plain = SubscriptionList()
    /// By their names.
    var groups = PartedTable<ReferenceEntry<QueueGroup>>()

    /// Changes with the subscriptions that end here, and was never another node's: whoever sees the same one
    /// again knows that they are the same subscriptions.
    var edition: UInt64 = 0
    /// The tree will look whether it is still unused when no match is under way.
    var isUnpruned = false

    var tableHash: UInt32 { tokenHash }

    var isUnused: Bool {
        plain.count == 0 && groups.count == 0 && children.count == 0 && anyToken == nil
            && anyTail == nil
    }
}

// MARK: - Literal children

extension SubjectNode {
    @inline(__always)
    func child(_ token: Bytes, _ count: Int, _ hash: UInt32) -> NodeRef? {
        children.find(hash) { entry in
            let node = entry.value
            return unsafe node.pointee.tokenHash == hash && Int(node.pointee.tokenCount) == count
                && memcmp(node.pointee.token.unsafelyUnwrapped, token, count) == 0
        }?.value
    }

    mutating func addChild(_ node: NodeRef, pool: SlabPool) throws(OutOfMemory) {
        try children.insert(ReferenceEntry(node), from: pool)
    }

    mutating func removeChild(_ node: NodeRef, pool: SlabPool) {
        children.remove(node.pointee.tokenHash, where: { $0.value == node }, to: pool)
    }

    func forEachChild(_ body: (NodeRef) -> Void) {
        if let anyToken { body(anyToken) }
        if let anyTail { body(anyTail) }
        children.visitAll { body($0.value) }
    }
}
