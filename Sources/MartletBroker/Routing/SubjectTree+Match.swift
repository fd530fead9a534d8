extension SubjectTree {
    /// Collects the nodes whose subscriptions take a subject. A subject with an empty token matches nothing.
    func match(_ subject: Bytes, _ count: Int, into match: inout SubjectMatch) {
        match.removeAll()
        guard unsafe Self.hasNoEmptyToken(subject, count) else {
            match.dependsOnLastToken = true
            return
        }
        match.steps.append(SubjectMatch.Step(node: root, start: 0))
        while let step = match.steps.popLast() {
            unsafe visit(step, subject, count, &match)
        }
    }

    /// The token at a node: what ends here is found, and what goes on becomes a step.
    @inline(__always)
    private func visit(
        _ step: SubjectMatch.Step, _ subject: Bytes, _ count: Int, _ match: inout SubjectMatch
    ) {
        match.visitedCount &+= 1
        let node = step.node
        let start = Int(step.start)
        var end = start
        while unsafe end < count && subject[end] != .dot { end += 1 }
        let isLast = end == count
        if isLast, node.pointee.childCount > 0 { match.dependsOnLastToken = true }
        if let tail = node.pointee.anyTail { collect(tail, into: &match) }
        let child =
            unsafe node.pointee.childCount == 0
            ? nil
            : node.pointee.child(
                subject + start, end - start, tokenHash(subject + start, end - start))
        if isLast {
            if let any = node.pointee.anyToken { collect(any, into: &match) }
            if let child { collect(child, into: &match) }
            return
        }
        let next = Int32(truncatingIfNeeded: end + 1)
        if let child { match.steps.append(SubjectMatch.Step(node: child, start: next)) }
        if let any = node.pointee.anyToken {
            match.steps.append(SubjectMatch.Step(node: any, start: next))
        }
    }

    @inline(__always)
    private func collect(_ node: NodeRef, into match: inout SubjectMatch) {
        guard node.pointee.plain.count > 0 || node.pointee.groupCount > 0 else { return }
        match.found.append(node)
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
