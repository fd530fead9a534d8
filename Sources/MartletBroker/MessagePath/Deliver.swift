// Message path, step 6: a message goes to each subscriber. Next: MessageEncoder.swift.

import Glibc
import Synchronization

extension BrokerLoop {
    /// To every plain subscription and to one member of each queue group. Whether anyone got it.
    @inline(__always)
    func deliver(
        _ message: Message, along route: Route, from publisher: ConnectionRef,
        startingWith first: Int = 0
    ) -> Bool {
        var wasDelivered = false
        var hasRemote = false
        if Int(route.plainCount) > flushesPerTurn { recordFanOut(publisher) }
        for i in first..<Int(route.plainCount) {
            let destination = unsafe route.destinations[i]
            if message.excludesPublisher, isPublisher(destination, message) { continue }
            guard Subscription.claim(destination.subscription, expecting: destination.state) else {
                continue
            }
            if Int(destination.loop) == index {
                if deliver(message, to: destination.subscription) {
                    wasDelivered = true
                }
            } else {
                state.pointee.remote.append(destination)
                hasRemote = true
            }
        }
        if hasRemote {
            post(message)
            wasDelivered = true
        }
        for g in 0..<Int(route.groupCount) {
            // Once somebody has the message, a group that turns out to be empty elsewhere owes no 503.
            let one =
                message.wantsNoResponders && wasDelivered ? message.withoutNoResponders : message
            let account = publisher.pointee.account
            if unsafe deliverToOne(one, of: route.groups[g], in: route, account) {
                wasDelivered = true
            }
        }
        if hasRemote || route.groupCount > 0 { waitForFullLinks(publisher) }
        return wasDelivered
    }

    @inline(__always)
    private func isPublisher(_ destination: Destination, _ message: Message) -> Bool {
        destination.connection == message.publisher && destination.loop == message.publisherLoop
    }

    /// A random member; if a delivery fails, the next one.
    @inline(never)
    func deliverToOne(
        _ message: Message, of group: QueueSpan, in route: Route, _ account: AccountRef
    ) -> Bool {
        let count = Int(group.count)
        let members = unsafe route.destinations + Int(group.start)
        var i = count == 1 ? 0 : state.pointee.random.below(count)
        for _ in 0..<count {
            let destination = unsafe members[i]
            i = i + 1 == count ? 0 : i + 1
            if message.excludesPublisher, isPublisher(destination, message) { continue }
            guard Subscription.claim(destination.subscription, expecting: destination.state) else {
                continue
            }
            if Int(destination.loop) == index {
                if deliver(message, to: destination.subscription) { return true }
            } else {
                unsafe postQueued(
                    message, to: destination, route.name(of: group), Int(group.nameCount), account)
                return true
            }
        }
        return false
    }

    /// One delivery on this loop: claimed, open a moment ago. False when the connection cannot take it.
    @inline(__always)
    func deliver(_ message: Message, to subscription: SubscriptionRef) -> Bool {
        let connection = state.pointee.connections[Int(subscription.pointee.connection.index)]
        guard connection.pointee.flags.isDisjoint(with: [.isClosing, .discardsOutput]) else {
            return false
        }
        guard encode(message, for: subscription, on: connection) else { return false }
        countDelivery(subscription, of: connection)
        return true
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

// MARK: - To other loops

extension BrokerLoop {
    /// Posts the message to every loop that destinations were gathered for.
    @inline(never)
    private func post(_ message: Message) {
        for i in 0..<state.pointee.remote.loopCount {
            let target = unsafe state.pointee.remote.loops[i]
            let list = unsafe state.pointee.remote.lists[target]
            if list.count > 0 {
                unsafe write(message, to: target, list.items, list.count, queue: nil, 0, nil)
            }
            unsafe state.pointee.remote.lists[target].removeAll()
        }
    }

    private func postQueued(
        _ message: Message, to destination: Destination, _ queue: MutableBytes, _ queueCount: Int,
        _ account: AccountRef
    ) {
        let target = Int(destination.loop)
        state.pointee.remote.append(destination)
        unsafe write(
            message, to: target, state.pointee.remote.lists[target].items, 1, queue: queue,
            queueCount, account)
        unsafe state.pointee.remote.lists[target].removeAll()
    }

    private func write(
        _ message: Message, to target: Int, _ destinations: UnsafeMutablePointer<Destination>,
        _ count: Int,
        queue: MutableBytes?, _ queueCount: Int, _ account: AccountRef?
    ) {
        let byteCount = BatchRecord.byteCount(message, destinations: count, queueCount: queueCount)
        let place = unsafe outgoing[target].pointee.reserve(
            byteCount, payloadBytes: message.payload == nil ? 0 : message.totalBytes, pool: pool)
        unsafe place.storeBytes(
            of: BatchRecord(
                byteCount: byteCount, message: message, destinationCount: count,
                queueCount: queueCount, account: account),
            as: BatchRecord.self)
        var next = unsafe place + MemoryLayout<BatchRecord>.stride
        func append(_ bytes: UnsafeRawPointer, _ count: Int) {
            unsafe memcpy(next, bytes, count)
            unsafe next += count
        }
        unsafe append(destinations, count * MemoryLayout<Destination>.stride)
        unsafe append(message.subject, message.subjectCount)
        unsafe append(message.head, message.headCount)
        unsafe append(message.body, message.bodyCount)
        if let queue = unsafe queue { unsafe append(queue, queueCount) }
        if let payload = message.payload { PayloadBuffer.retain(payload) }
    }

    /// Hands every gathered batch over. Before any socket is written, always: what a client learns from
    /// a PONG must already be on its way to the other loops.
    @inline(__always)
    func postBatches() {
        guard loopCount > 1 else { return }
        for target in 0..<loopCount where target != index {
            guard unsafe outgoing[target].pointee.post() else { continue }
            unsafe mailboxes[target]._withUnsafeGuaranteedRef { $0.wake() }
        }
    }

    /// Delivers what other loops have posted, in the order in which they did. A batch that was posted while
    /// this loop looked may follow one that it did not find any more: it waits for the next look.
    func deliverBatches() {
        guard loopCount > 1 else { return }
        let settled = shared.batchOrder.pointee.settled
        for source in 0..<loopCount where source != index {
            unsafe state.pointee.arrived[source].append(incoming[source].pointee.takePosted())
        }
        while let (source, number) = oldestArrival() {
            guard number <= settled else { return mail.wake() }
            guard let batch = unsafe state.pointee.arrived[source].removeFirst() else { return }
            deliver(batch)
            if unsafe incoming[source].pointee.giveBack(batch) { sendLinkDrained(source) }
        }
    }

    private func oldestArrival() -> (source: Int, number: UInt64)? {
        var oldest: (source: Int, number: UInt64)?
        for source in 0..<loopCount {
            guard let batch = unsafe state.pointee.arrived[source].first,
                batch.pointee.number < oldest?.number ?? .max
            else { continue }
            oldest = (source, batch.pointee.number)
        }
        return oldest
    }

    @inline(never)
    private func sendLinkDrained(_ source: Int) {
        shared.loops[source].mail.post(.linkDrained)
    }

    private func deliver(_ batch: BatchRef) {
        var place = unsafe batch.block + Batch.headerBytes
        let end = unsafe batch.block + batch.pointee.used
        while unsafe place < end {
            let record = unsafe place.load(as: BatchRecord.self)
            unsafe deliver(record, at: place)
            if state.pointee.isShortOfMemory {
                holdBack(record.message.publisher, record.message.publisherLoop)
            }
            if let payload = record.message.payload {
                PayloadBuffer.release(payload, on: returns, pool: pool)
            }
            unsafe place += record.byteCount
        }
    }

    /// What comes from another loop finds no memory here: who published it waits, nobody else.
    @inline(never)
    private func holdBack(_ publisher: SlabHandle, _ loop: UInt16) {
        state.pointee.isShortOfMemory = false
        shared.loops[Int(loop)].mail.post(.waitForMemory(publisher))
    }

    private func deliver(_ record: BatchRecord, at place: UnsafeMutableRawPointer) {
        var message = record.message
        let list = unsafe place + MemoryLayout<BatchRecord>.stride
        let bytes = unsafe Bytes(
            (list + record.destinationCount * MemoryLayout<Destination>.stride)
                .assumingMemoryBound(to: UInt8.self))
        unsafe message.subject = unsafe bytes
        unsafe message.head = unsafe bytes + message.subjectCount
        unsafe message.body = unsafe message.head + message.headCount
        let queue = unsafe message.body + message.bodyCount
        let destinations = unsafe list.assumingMemoryBound(to: Destination.self)
        for i in 0..<record.destinationCount {
            let destination = unsafe destinations[i]
            let subscription = destination.subscription
            let current = subscription.pointee.state.load(ordering: .relaxed)
            let isOpen = (current ^ destination.state) & ~Subscription.maximumBit == 0
            if isOpen, deliver(message, to: subscription) { continue }
            if let account = record.account {
                unsafe redeliver(message, queue, record.queueCount, account)
            }
        }
    }

    /// A queue member that was chosen on another loop has gone since: another one of its group gets the
    /// message, on whatever loop; with none left the requester hears 503.
    @inline(never)
    private func redeliver(
        _ message: Message, _ queue: Bytes, _ queueCount: Int, _ account: AccountRef
    ) {
        let route = unsafe cache.route(
            of: message.subject, message.subjectCount, in: account.space
        ).pointee
        for g in 0..<Int(route.groupCount) {
            let group = unsafe route.groups[g]
            guard Int(group.nameCount) == queueCount,
                unsafe memcmp(route.name(of: group), queue, queueCount) == 0
            else { continue }
            if deliverToOne(message, of: group, in: route, account) { return }
        }
        guard message.wantsNoResponders else { return }
        unsafe shared.loops[Int(message.publisherLoop)].mail.post(
            .noResponders(
                message.publisher, account: account,
                subject: Array(
                    UnsafeBufferPointer(start: message.subject, count: message.subjectCount)),
                reply: Array(UnsafeBufferPointer(start: message.head, count: message.replyCount))))
    }

    /// A publisher whose messages pile up on the way to another loop is not read until they drain.
    @inline(never)
    private func waitForFullLinks(_ publisher: ConnectionRef) {
        for i in 0..<state.pointee.remote.loopCount {
            let target = unsafe state.pointee.remote.loops[i]
            guard unsafe outgoing[target].pointee.mustWait() else { continue }
            pause(publisher, .mailbox)
            state.pointee.waitingForLinks.append(publisher.pointee.handle)
            break
        }
        state.pointee.remote.removeAll()
    }
}
