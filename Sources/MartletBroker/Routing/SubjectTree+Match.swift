extension SubjectTree {
    /// Collects the nodes whose subscriptions take a subject. A subject with an empty token matches nothing.
    func match(_ subject: Bytes, _ count: Int, into match: inout SubjectMatch) {
        start(&match)
        _ = unsafe advance(&match, subject, count, nodesMax: .max)
    }

    /// For a subject of which nothing was looked at.
    @inline(__always)
    func start(_ match: inout SubjectMatch) {
        match.removeAll()
        match.steps.append(SubjectMatch.Step(node: root, start: 0))
    }

    /// Goes on for so many nodes; whether all of them have been visited.
    func advance(
        _ match: inout SubjectMatch, _ subject: Bytes, _ count: Int, nodesMax: Int
    ) -> Bool {
        var sawWhole = match.sawWhole
        var isValid = match.isValid
        var left = nodesMax
        while left > 0, let step = match.steps.popLast() {
            unsafe visit(step, subject, count, &match, &sawWhole, &isValid)
            left &-= 1
        }
        match.visited &+= nodesMax &- left
        match.sawWhole = sawWhole
        match.isValid = isValid
        guard match.steps.count == 0 else { return false }
        // No filter is as long as the subject: nobody has looked at its last tokens yet.
        if !sawWhole { isValid = unsafe isValid && Self.hasNoEmptyToken(subject, count) }
        guard !isValid else { return true }
        match.found.removeAll()
        match.dependsOnLastToken = true
        return true
    }

    /// The token at a node: what ends here is found, and what goes on becomes a step.
    @inline(__always)
    private func visit(
        _ step: SubjectMatch.Step, _ subject: Bytes, _ count: Int, _ match: inout SubjectMatch,
        _ sawWhole: inout Bool, _ isValid: inout Bool
    ) {
        let node = step.node
        let start = Int(step.start)
        var end = start
        while unsafe end < count && subject[end] != .dot { end &+= 1 }
        guard end > start else {
            isValid = false
            return
        }
        let isLast = end == count
        if isLast { sawWhole = true }
        if let tail = node.pointee.anyTail { collect(tail, into: &match) }
        let any = node.pointee.anyToken
        var child: NodeRef?
        if node.pointee.children.count > 0 {
            if isLast { match.dependsOnLastToken = true }
            let hash = unsafe tokenHash(subject + start, end &- start)
            child = unsafe node.pointee.child(subject + start, end &- start, hash)
        }
        if isLast {
            if let any { collect(any, into: &match) }
            if let child { collect(child, into: &match) }
        } else {
            let next = Int32(truncatingIfNeeded: end &+ 1)
            if let child { match.steps.appendIfRoom(SubjectMatch.Step(node: child, start: next)) }
            if let any { match.steps.appendIfRoom(SubjectMatch.Step(node: any, start: next)) }
        }
    }

    @inline(__always)
    private func collect(_ node: NodeRef, into match: inout SubjectMatch) {
        guard node.pointee.plain.count > 0 || node.pointee.groups.count > 0 else { return }
        match.found.appendIfRoom(node)
    }

    private static func hasNoEmptyToken(_ subject: Bytes, _ count: Int) -> Bool {
        var previous = UInt8.dot
        for i in 0..<count {
            if unsafe subject[i] == .dot, previous == .dot { return false }
            previous = unsafe subject[i]
        }
        return previous != .dot
    }
}
