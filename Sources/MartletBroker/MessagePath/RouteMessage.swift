// Message path, step 5: the subscribers of a message are found. Next: Deliver.swift.

import Synchronization

extension BrokerLoop {
    /// The one way into routing, for whoever publishes (`PublishFastPath` has a copy of its own): a message
    /// finds its subscribers, or its publisher hears that there are none.
    @inline(__always)
    func route(_ message: Message) {
        assert(thread.isCurrent)
        assert(Int(message.origin.loop) == index)
        let route = cache.route(of: message.subject, in: message.origin.account.space)
        guard !route.pointee.traits.contains(.unfinished), !hasLongPublish(message.origin) else {
            return publishLater(message, searching: .subscribers)
        }
        finish(message, along: route)
    }

    /// Delivers along the route, or the publisher hears that there is nobody.
    @inline(__always)
    func finish(_ message: Message, along route: StablePointer<Route>) {
        guard !route.pointee.traits.contains(.wide) else {
            return publishInPieces(message, along: route)
        }
        let wasDelivered =
            !route.pointee.isEmpty && deliver(message, along: route.pointee)
        if !wasDelivered, message.wantsNoResponders { sendNoResponders(for: message) }
    }

    /// Status 503 for a message that nobody gets.
    @inline(never)
    func sendNoResponders(for message: Message) {
        let route = cache.route(of: message.reply, in: message.origin.account.space)
        guard !route.pointee.traits.contains(.unfinished) else {
            return publishLater(message, searching: .requester)
        }
        sendNoResponders(
            to: message.origin, subject: message.subject, reply: message.reply,
            along: route.pointee)
    }

    /// Status 503 to the requester, if it is still there: to a plain subscription of its own that takes the
    /// reply subject, whose route this is. It does not count towards an UNSUB maximum.
    func sendNoResponders(
        to origin: Origin, subject: CountedBytes, reply: CountedBytes, along route: Route
    ) {
        guard let requester = publisher(origin), !isLeaving(requester) else {
            if loopCount > 1 { sendNoRespondersElsewhere(origin, subject, reply) }
            return
        }
        work.pointee.add(Int(route.plainCount) &* SliceWork.look)
        for i in 0..<Int(route.plainCount) {
            let destination = unsafe route.destinations[i]
            guard origin.owns(destination),
                destination.subscription.pointee.state.load(ordering: .relaxed)
                    & Subscription.openBit != 0
            else { continue }
            return encodeNoResponders(
                subject, reply, for: destination.subscription, on: requester)
        }
    }

    /// It may have gone to another loop.
    @inline(never)
    private func sendNoRespondersElsewhere(
        _ origin: Origin, _ subject: CountedBytes, _ reply: CountedBytes
    ) {
        forwardNoResponders(
            Moves.NoResponders(origin: origin, subject: Array(subject), reply: Array(reply)))
    }
}
