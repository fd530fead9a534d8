// Message path, step 6: a message goes to each subscriber. Next: MessageEncoder.swift.

extension BrokerLoop {
    /// To every plain subscription and to one member of each queue group. Whether anyone got it.
    @inline(__always)
    func deliver(_ message: Message, along route: Route, startingWith first: Int = 0) -> Bool {
        let wasDelivered = deliver(message, along: route, plain: first..<Int(route.plainCount))
        return deliverToGroups(message, along: route, wasDelivered)
    }

    /// To some of the plain subscriptions.
    @inline(__always)
    func deliver(_ message: Message, along route: Route, plain range: Range<Int>) -> Bool {
        var wasDelivered = false
        var hasRemote = false
        let dirtyBefore = state.pointee.dirty.count
        work.pointee.add(range.count &* SliceWork.look)
        for i in range {
            let destination = unsafe route.destinations[i]
            if isOwnEcho(message, to: destination) { continue }
            guard Subscription.claim(destination.subscription, expecting: destination.state) else {
                continue
            }
            if Int(destination.loop) == index {
                if deliver(message, to: destination.subscription) {
                    wasDelivered = true
                }
            } else {
                state.pointee.remote.append(destination)
                work.pointee.add(SliceWork.destination)
                hasRemote = true
            }
        }
        if hasRemote {
            post(message)
            wasDelivered = true
        }
        if Int(route.plainCount) >= Self.fanOutMin {
            let publisher = publisher(message.origin)
            hasFannedOut(to: Int(route.plainCount), from: publisher, dirtyBefore)
        }
        return wasDelivered
    }

    /// To one member of each group, behind the plain subscriptions.
    @inline(__always)
    func deliverToGroups(_ message: Message, along route: Route, _ hasSomebody: Bool) -> Bool {
        var wasDelivered = hasSomebody
        for g in 0..<Int(route.groupCount) {
            // Once somebody has the message, a group that turns out to be empty elsewhere owes no 503.
            let one =
                message.wantsNoResponders && wasDelivered ? message.withoutNoResponders : message
            if unsafe deliverToOne(one, of: route.groups[g], in: route) { wasDelivered = true }
        }
        if state.pointee.remote.loopCount > 0 { waitForFullLinks(message.origin) }
        return wasDelivered
    }

    /// A publisher that said `echo: false` gets nothing of its own back.
    @inline(__always)
    private func isOwnEcho(_ message: Message, to destination: Destination) -> Bool {
        message.origin.flags.contains(.noEcho) && message.origin.owns(destination)
    }

    /// To a random member that has room; where none has, to one whose policy says what becomes of it.
    @inline(never)
    func deliverToOne(
        _ message: Message, of group: QueueSpan, in route: Route, isSecondTry: Bool = false
    ) -> Bool {
        state.pointee.hasPassedOver = false
        state.pointee.passesOver = group.count > 1
        defer { state.pointee.passesOver = false }
        let isLastTry = isSecondTry || group.count == 1
        if offer(message, to: group, in: route, isLastTry: isLastTry) { return true }
        guard state.pointee.hasPassedOver else { return false }
        state.pointee.passesOver = false
        return offer(message, to: group, in: route, isLastTry: true)
    }

    /// To one member after another, from a random one on, until it is delivered.
    @inline(__always)
    private func offer(
        _ message: Message, to group: QueueSpan, in route: Route, isLastTry: Bool
    ) -> Bool {
        let count = Int(group.count)
        let members = unsafe route.destinations + Int(group.start)
        var i = count == 1 ? 0 : state.pointee.random.below(count)
        for _ in 0..<count {
            let destination = unsafe members[i]
            work.pointee.add(SliceWork.look)
            i = i + 1 == count ? 0 : i + 1
            if isOwnEcho(message, to: destination) || isPassedOver(destination) { continue }
            guard Subscription.claim(destination.subscription, expecting: destination.state) else {
                continue
            }
            if Int(destination.loop) == index {
                if deliver(message, to: destination.subscription) { return true }
                Subscription.giveBackClaim(destination.subscription, expecting: destination.state)
            } else {
                postQueued(
                    message, to: destination, queue: route.name(of: group), isLastTry: isLastTry)
                return true
            }
        }
        return false
    }

    /// A member on another loop that had no room when it was last looked at; here, `makeRoom` looks.
    @inline(__always)
    private func isPassedOver(_ destination: Destination) -> Bool {
        guard state.pointee.passesOver, Int(destination.loop) != index,
            unsafe fullConnections[Int(destination.loop)].contains(destination.connection.index)
        else { return false }
        state.pointee.hasPassedOver = true
        return true
    }

    /// One delivery on this loop: claimed, open a moment ago. False when it cannot be made, and somebody
    /// else should get the message. Each kind of subscription has its own way.
    @inline(__always)
    func deliver(_ message: Message, to subscription: SubscriptionRef) -> Bool {
        assert(Int(subscription.pointee.loop) == index)
        switch subscription.pointee.kind {
        case .client: return deliverToClient(message, subscription)
        }
    }

    /// False when the connection cannot take it.
    @inline(__always)
    private func deliverToClient(_ message: Message, _ subscription: SubscriptionRef) -> Bool {
        let connection = subscriber(subscription)
        guard connection.pointee.flags.isDisjoint(with: [.isClosing, .discardsOutput, .isTraced])
        else {
            return deliverTraced(message, subscription, to: connection)
        }
        guard encode(message, for: subscription, on: connection) else { return false }
        countDelivery(subscription, of: connection)
        return true
    }

    /// Of the three reasons to come here, one lets a message through.
    @inline(never)
    private func deliverTraced(
        _ message: Message, _ subscription: SubscriptionRef, to connection: ConnectionRef
    ) -> Bool {
        guard connection.pointee.flags.isDisjoint(with: [.isClosing, .discardsOutput]) else {
            return false
        }
        let before = connection.pointee.messagesOut
        guard encode(message, for: subscription, on: connection) else { return false }
        // A policy may have dropped it.
        if connection.pointee.messagesOut != before {
            traceDelivery(message, for: subscription, on: connection)
        }
        countDelivery(subscription, of: connection)
        return true
    }

    /// The connection of a subscription of this loop.
    ///
    /// SAFETY: a connection keeps its slot until all its subscriptions are closed, so an open one's is in it;
    /// it may be closing.
    @inline(__always)
    func subscriber(_ subscription: SubscriptionRef) -> ConnectionRef {
        let handle = subscription.pointee.connection
        let connection = state.pointee.connections[Int(handle.index)]
        assert(
            connection.pointee.handle == handle || connection.pointee.flags.contains(.isClosing))
        return connection
    }

    /// The delivery that reaches an UNSUB's maximum closes the subscription.
    @inline(__always)
    func countDelivery(_ subscription: SubscriptionRef, of connection: ConnectionRef) {
        subscription.pointee.delivered &+= 1
        if subscription.pointee.delivered >= subscription.pointee.deliveredMax {
            close(subscription, of: connection)
        }
    }
}
