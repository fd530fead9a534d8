import Synchronization

/// From the nodes that a match has found to a route: one block with all destinations, the members of
/// each queue group together, however many filters the group is on.
extension SubjectTree {
    /// What a route of the nodes that were found takes; nil without memory to say it.
    func shape(of match: inout SubjectMatch) -> RouteShape? {
        match.groups.removeAll()
        match.groupOfNode.removeAll()
        match.groupTable.removeAll()
        guard !match.isIncomplete else { return nil }
        var shape = RouteShape()
        var groups = 0
        for i in 0..<match.found.count {
            shape.plainCount += Int(match.found[i].pointee.plain.count)
            groups += Int(match.found[i].pointee.groups.count)
        }
        if groups > 0 {
            guard match.makeRoom(forGroups: groups) else { return nil }
            for i in 0..<match.found.count { gatherGroups(of: match.found[i], &match) }
        }
        shape.groupCount = match.groups.count
        for i in 0..<match.groups.count {
            var group = match.groups[i]
            group.next = UInt32(shape.destinationCount)
            shape.memberCount += Int(group.members)
            shape.nameBytes += Int(group.nameCount)
            match.groups[i] = group
        }
        return shape
    }

    /// The route of this shape, in a block of `shape.byteCount` bytes or more; its traits are whoever asks'.
    func makeRoute(
        _ shape: RouteShape, of match: inout SubjectMatch, in block: UnsafeMutableRawPointer
    ) -> Route {
        let route = unsafe Route(
            block: block, blockBytes: UInt32(shape.byteCount),
            plainCount: UInt32(shape.plainCount), groupCount: UInt32(shape.groupCount),
            memberCount: UInt32(shape.memberCount))
        nameGroups(of: match, in: route)
        fill(route, &match)
        return route
    }

    /// A queue group that is on several matching filters counts once.
    private func gatherGroups(of node: NodeRef, _ match: inout SubjectMatch) {
        node.pointee.groups.visitAll { entry in
            let index = match.indexOfGroup(entry.value.pointee)
            var gathered = match.groups[index]
            gathered.members += entry.value.pointee.members.count
            match.groups[index] = gathered
            match.groupOfNode.append(UInt32(truncatingIfNeeded: index))
        }
    }

    private func nameGroups(of match: SubjectMatch, in route: Route) {
        var nameStart = Route.byteCount(
            destinations: Int(route.plainCount + route.memberCount), groups: Int(route.groupCount))
        for i in 0..<match.groups.count {
            let group = match.groups[i]
            let span = QueueSpan(
                start: group.next, count: group.members, nameStart: UInt32(nameStart),
                nameCount: group.nameCount)
            unsafe route.groups[i] = span
            unsafe route.setName(of: span, to: group.name)
            nameStart += Int(group.nameCount)
        }
    }

    private func fill(_ route: Route, _ match: inout SubjectMatch) {
        var next = 0
        var groupOfNode = 0
        for i in 0..<match.found.count {
            let node = match.found[i]
            Self.append(node.pointee.plain, to: route, at: &next)
            node.pointee.groups.visitAll { entry in
                let index = Int(match.groupOfNode[groupOfNode])
                groupOfNode += 1
                var group = match.groups[index]
                var place = Int(group.next)
                Self.append(entry.value.pointee.members, to: route, at: &place)
                group.next = UInt32(place)
                match.groups[index] = group
            }
        }
    }

    private static func append(_ list: SubscriptionList, to route: Route, at next: inout Int) {
        assert(next + Int(list.count) <= route.destinationCount)
        for i in 0..<Int(list.count) {
            let subscription = list[i]
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

extension SubjectMatch {
    /// From here on groups are found by hash: with 20,000 of them, comparing each with each takes a second.
    private static let tabledGroupsMin = 16

    /// For so many groups at most. False without memory.
    fileprivate mutating func makeRoom(forGroups count: Int) -> Bool {
        guard groups.reserve(count), groupOfNode.reserve(count) else { return false }
        // What `enter` makes of the table for that many: a power of two, at least twice as many.
        return count < Self.tabledGroupsMin
            || groupTable.reserve(
                max(Self.tabledGroupsMin * 4, BlockPool.capacity(for: count * 2)))
    }

    /// The group's index in `groups`, where it is put if it is new.
    fileprivate mutating func indexOfGroup(_ group: QueueGroup) -> Int {
        if let index = find(group) { return index }
        unsafe groups.append(
            Group(
                name: group.name, nameCount: group.nameCount, nameHash: group.nameHash, members: 0))
        if groups.count >= Self.tabledGroupsMin { enter(groups.count - 1) }
        return groups.count - 1
    }

    private func find(_ group: QueueGroup) -> Int? {
        guard groupTable.count > 0 else {
            for i in 0..<groups.count where isSame(groups[i], group) { return i }
            return nil
        }
        let mask = groupTable.count - 1
        var slot = Int(group.nameHash) & mask
        while groupTable[slot] != 0 {
            let index = Int(groupTable[slot]) - 1
            if isSame(groups[index], group) { return index }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private func isSame(_ one: Group, _ other: QueueGroup) -> Bool {
        unsafe one.nameHash == other.nameHash && other.isNamed(one.name, one.nameCount)
    }

    /// At most half of the table is in use.
    private mutating func enter(_ index: Int) {
        if groups.count * 2 > groupTable.count {
            let size = max(Self.tabledGroupsMin * 4, groupTable.count * 2)
            groupTable.removeAll()
            assert(size <= groupTable.capacity)
            for _ in 0..<size { groupTable.append(0) }
            for i in 0..<groups.count { place(i) }
        } else {
            place(index)
        }
    }

    private func place(_ index: Int) {
        let mask = groupTable.count - 1
        var slot = Int(groups[index].nameHash) & mask
        while groupTable[slot] != 0 { slot = (slot + 1) & mask }
        groupTable[slot] = UInt32(truncatingIfNeeded: index + 1)
    }
}
