/// What a walk through the tree has found for one subject, and where it goes on. It is kept by whoever
/// asks and used again, and it needs no recursion: a subject may have as many tokens as a control line
/// has bytes.
///
/// SAFETY: nodes in it are read with the tree's lock held, from `SubjectTree.begin` to `SubjectTree.end`, or
/// while the lock was not let go of since they were put in.
@safe
struct SubjectMatch {
    /// A node whose children are looked at for the token that starts at `start`.
    struct Step: BitwiseCopyable {
        var node: NodeRef
        var start: Int32
    }

    /// A queue group that matches, with members on one or more filters.
    ///
    /// SAFETY: `name` is the queue group's in the tree, read with its lock held.
    @safe
    struct Group: BitwiseCopyable {
        var name: MutableBytes
        var nameCount: UInt32
        var nameHash: UInt32
        var members: UInt32
        /// Where the next of its members goes in the route that is made.
        var next: UInt32 = 0
    }

    var steps: GrowableBuffer<Step>
    var found: GrowableBuffer<NodeRef>
    var groups: GrowableBuffer<Group>
    /// For each group of each found node, in order: its index in `groups`.
    var groupOfNode: GrowableBuffer<UInt32>
    /// `groups` by the hash of their names, index plus one; a power of two, used from 16 groups on.
    var groupTable: GrowableBuffer<UInt32>
    /// Nodes that were visited.
    var visited = 0
    /// Some filter is as long as the subject, so its last token was looked at.
    var sawWhole = false
    /// No token that was looked at is empty.
    var isValid = true
    /// Some subscription tells the subject's last token apart from others.
    var dependsOnLastToken = false

    /// - Parameter budget: what its lists count in.
    init(budget: MemoryBudget) {
        steps = GrowableBuffer(budget: budget)
        found = GrowableBuffer(budget: budget)
        groups = GrowableBuffer(budget: budget)
        groupOfNode = GrowableBuffer(budget: budget)
        groupTable = GrowableBuffer(budget: budget)
    }

    /// There was no memory for all that it came to.
    var isIncomplete: Bool { steps.isIncomplete || found.isIncomplete }

    /// For another subject. What routes are made with is reset by `SubjectTree.makeRoute`.
    mutating func removeAll() {
        steps.removeAll()
        found.removeAll()
        visited = 0
        sawWhole = false
        isValid = true
        dependsOnLastToken = false
    }

    /// Room that is kept for the next match: in entries of each list.
    private static let keptMax = 4_096

    /// A large match is over: its memory goes.
    mutating func trim() {
        let any =
            steps.capacity | found.capacity | groups.capacity | groupOfNode.capacity
            | groupTable.capacity
        guard any >= Self.keptMax * 2 else { return }
        steps.removeAll(keepingAtMost: Self.keptMax)
        found.removeAll(keepingAtMost: Self.keptMax)
        groups.removeAll(keepingAtMost: Self.keptMax)
        groupOfNode.removeAll(keepingAtMost: Self.keptMax)
        groupTable.removeAll(keepingAtMost: Self.keptMax)
    }

    func destroy() {
        steps.destroy()
        found.destroy()
        groups.destroy()
        groupOfNode.destroy()
        groupTable.destroy()
    }
}
