// Message path, beside Deliver.swift: messages to and from other loops, in batches.

import Glibc
import Synchronization

extension BrokerLoop {
    /// Posts the message to every loop that destinations were gathered for.
    @inline(never)
    func post(_ message: Message) {
        for i in 0..<state.pointee.remote.loopCount {
            let target = unsafe state.pointee.remote.loops[i]
            let list = unsafe state.pointee.remote.lists[target]
            if list.isIncomplete { refuseForLackOfMemory(message.origin) }
            if list.count > 0 {
                unsafe write(
                    message, to: target, list.items, list.count, queue: .none, isLastTry: true)
            }
            unsafe state.pointee.remote.lists[target].removeAll()
        }
    }

    /// To a member of a queue group; the group's name goes along for `redeliver`.
    func postQueued(
        _ message: Message, to destination: Destination, queue: CountedBytes, isLastTry: Bool
    ) {
        let target = Int(destination.loop)
        state.pointee.remote.append(destination)
        unsafe write(
            message, to: target, state.pointee.remote.lists[target].items, 1, queue: queue,
            isLastTry: isLastTry)
        unsafe state.pointee.remote.lists[target].removeAll()
    }

    private func write(
        _ message: Message, to target: Int, _ destinations: UnsafeMutablePointer<Destination>,
        _ count: Int, queue: CountedBytes, isLastTry: Bool
    ) {
        let byteCount = BatchRecord.byteCount(
            message, destinations: count, queueCount: queue.count)
        guard
            let place = unsafe outgoing[target].pointee.reserve(
                byteCount, payloadBytes: message.payload == nil ? 0 : message.totalBytes,
                pool: pool)
        else { return refuseForLackOfMemory(message.origin) }
        unsafe place.storeBytes(
            of: BatchRecord(
                byteCount: byteCount, message: message, destinationCount: count,
                queueCount: UInt32(truncatingIfNeeded: queue.count), isLastTry: isLastTry),
            as: BatchRecord.self)
        let list = unsafe place + MemoryLayout<BatchRecord>.stride
        let listBytes = count * MemoryLayout<Destination>.stride
        unsafe memcpy(list, destinations, listBytes)
        let bytes = unsafe (list + listBytes).assumingMemoryBound(to: UInt8.self)
        unsafe message.copyBytes(to: bytes)
        unsafe memcpy(bytes + message.copiedBytes, queue.start, queue.count)
        assert(
            unsafe UnsafeRawPointer(bytes) + message.copiedBytes + queue.count
                <= UnsafeRawPointer(place) + byteCount)
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

    /// Delivers what other loops have posted, in the order in which they did. A batch posted during this look
    /// may depend on one in a link already looked at; it waits for the next look.
    func deliverBatches() {
        guard loopCount > 1 else { return }
        let settled = shared.batchOrder.pointee.settled
        for source in 0..<loopCount where source != index {
            unsafe state.pointee.arrived[source].append(incoming[source].pointee.takePosted())
        }
        while let (source, number) = oldestArrival() {
            guard number <= settled else { return mail.wake() }
            guard let batch = unsafe state.pointee.arrived[source].removeFirst() else { return }
            state.pointee.hasTakenBatches = true
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
            if unsafe place.load(as: Int.self) & PlainRecord.mark != 0 {
                let record = unsafe place.assumingMemoryBound(to: PlainRecord.self)
                unsafe deliverPlain(at: place)
                if state.pointee.isShortOfMemory { unsafe holdBack(record.pointee.origin) }
                unsafe place += record.pointee.byteCount
                continue
            }
            let record = unsafe place.load(as: BatchRecord.self)
            assert(unsafe record.byteCount > 0 && place + record.byteCount <= end)
            unsafe deliver(record, at: place)
            if state.pointee.isShortOfMemory { holdBack(record.message.origin) }
            if let payload = record.message.payload {
                PayloadBuffer.release(payload, on: returns, pool: pool)
            }
            unsafe place += record.byteCount
        }
    }

    /// What comes from another loop finds no memory here: who published it waits, nobody else.
    @inline(never)
    private func holdBack(_ origin: Origin) {
        state.pointee.isShortOfMemory = false
        guard origin.kind != .broker else { return }
        mailOfLoop(of: origin).post(.waitForMemory(origin.connection))
    }

    func mailOfLoop(of origin: Origin) -> Mailbox<LoopCommand> {
        shared.loops[Int(origin.loop)].mail
    }

    private func deliver(_ record: BatchRecord, at place: UnsafeMutableRawPointer) {
        let list = unsafe place + MemoryLayout<BatchRecord>.stride
        let bytes = unsafe Bytes(
            (list + record.destinationCount * MemoryLayout<Destination>.stride)
                .assumingMemoryBound(to: UInt8.self))
        let message = unsafe record.message.moved(to: bytes)
        let queue = unsafe CountedBytes(bytes + message.copiedBytes, Int(record.queueCount))
        let destinations = unsafe list.assumingMemoryBound(to: Destination.self)
        state.pointee.passesOver = !record.isLastTry
        defer { state.pointee.passesOver = false }
        for i in 0..<record.destinationCount {
            let destination = unsafe destinations[i]
            let subscription = destination.subscription
            let current = subscription.pointee.state.load(ordering: .relaxed)
            let isOpen = (current ^ destination.state) & ~Subscription.maximumBit == 0
            if isOpen, deliver(message, to: subscription) { continue }
            guard !queue.isEmpty else { continue }
            Subscription.giveBackClaim(subscription, expecting: destination.state)
            redeliver(message, queue)
        }
    }

    /// A queue member that was chosen on another loop has gone since, or has no room: another one of its group
    /// gets the message, on whatever loop; with none left the requester hears 503.
    @inline(never)
    private func redeliver(_ message: Message, _ queue: CountedBytes) {
        let route = cache.route(of: message.subject, in: message.origin.account.space)
        guard !route.pointee.traits.contains(.unfinished) else {
            return publishLater(message, searching: .member, of: queue)
        }
        redeliver(message, to: queue, along: route.pointee)
    }

    func redeliver(_ message: Message, to queue: CountedBytes, along route: Route) {
        for g in 0..<Int(route.groupCount) {
            let group = unsafe route.groups[g]
            guard route.name(of: group) == queue else { continue }
            if deliverToOne(message, of: group, in: route, isSecondTry: true) { return }
        }
        guard message.wantsNoResponders else { return }
        mailOfLoop(of: message.origin).post(
            .noResponders(
                message.origin, subject: Array(message.subject), reply: Array(message.reply)))
    }

    /// A publisher whose messages pile up on the way to another loop is not read until they drain.
    @inline(never)
    func waitForFullLinks(_ origin: Origin) {
        var mustWait = false
        var i = 0
        while i < state.pointee.remote.loopCount, !mustWait {
            let target = unsafe state.pointee.remote.loops[i]
            mustWait = unsafe outgoing[target].pointee.mustWait()
            i &+= 1
        }
        state.pointee.remote.removeAll()
        guard mustWait, let publisher = publisher(origin) else { return }
        pause(publisher, .mailbox)
        state.pointee.waitingForLinks.append(publisher.pointee.handle)
    }
}
