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
        let wasDelivered =
            !route.pointee.isEmpty && deliver(message, along: route.pointee)
        if !wasDelivered, message.wantsNoResponders {
            sendNoResponders(to: message.origin, subject: message.subject, reply: message.reply)
        }
    }

    /// Status 503 to the requester, if it is still there: to a plain subscription of its own that takes the
    /// reply subject. It does not count towards an UNSUB maximum.
    @inline(never)
    func sendNoResponders(to origin: Origin, subject: CountedBytes, reply: CountedBytes) {
        guard let requester = publisher(origin) else { return }
        let route = cache.route(of: reply, in: origin.account.space)
        work.pointee.add(Int(route.pointee.plainCount) &* SliceWork.look)
        for i in 0..<Int(route.pointee.plainCount) {
            let destination = unsafe route.pointee.destinations[i]
            guard origin.owns(destination),
                destination.subscription.pointee.state.load(ordering: .relaxed)
                    & Subscription.openBit != 0
            else { continue }
            return encodeNoResponders(
                subject, reply, for: destination.subscription, on: requester)
        }
    }
}
