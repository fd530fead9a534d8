// Message path, beside MessageEncoder.swift: a subscriber that does not keep up.

import Glibc

/// What a subscriber over its limit means for the message at hand.
enum Room {
    case write
    /// Thrown away by the subscription's policy; it counts as delivered.
    case dropped
    /// The connection is being closed: somebody else should get it.
    case refused
}

/// Publishers that wait for one blocked subscriber, as a small list in a block of the loop's pool.
///
/// SAFETY: room for `capacity` publishers follows this header in its block; the first `count` are there.
@safe
struct WaitingPublishers {
    var count = 0
    var capacity: Int
    var blockBytes: Int

    struct Publisher: BitwiseCopyable {
        var handle: SlabHandle
        var loop: UInt16
    }

    static func list(_ waiting: StablePointer<WaitingPublishers>) -> UnsafeMutablePointer<Publisher>
    {
        unsafe (waiting.block + MemoryLayout<WaitingPublishers>.stride)
            .assumingMemoryBound(to: Publisher.self)
    }
}

extension BrokerLoop {
    @inline(__always)
    func makeRoom(
        _ frameBytes: Int, for subscription: SubscriptionRef, on connection: ConnectionRef,
        _ message: Message
    ) -> Room {
        let pending = connection.pointee.outbound.pendingBytes &+ frameBytes
        guard pending > connection.pointee.pendingBytesMax else { return .write }
        return makeRoomSlowly(frameBytes, for: subscription, on: connection, message)
    }

    @inline(never)
    private func makeRoomSlowly(
        _ frameBytes: Int, for subscription: SubscriptionRef, on connection: ConnectionRef,
        _ message: Message
    ) -> Room {
        // What the socket still takes now does not count: flush before judging.
        if connection.pointee.blockedSince == 0 {
            flushEarly(connection)
            if connection.pointee.flags.contains(.isClosing) { return .refused }
            let pending = connection.pointee.outbound.pendingBytes + frameBytes
            if pending <= connection.pointee.pendingBytesMax { return .write }
        }
        if subscription.pointee.isQueued, leavesToOthers(subscription, of: connection) {
            return .refused
        }
        switch subscription.pointee.policy {
        case .close: return refuseSlowConsumer(connection)
        case .dropNew:
            countDrop(of: subscription, on: connection)
            return .dropped
        case .dropOld: return dropOldest(frameBytes, for: subscription, on: connection)
        case .block: return block(message, for: connection, frameBytes)
        }
    }

    /// A member of a queue group without room is passed over while another has some. With the policy `close`
    /// it goes, and the message to another.
    private func leavesToOthers(
        _ subscription: SubscriptionRef, of connection: ConnectionRef
    ) -> Bool {
        guard subscription.pointee.policy != .close else { return false }
        unsafe fullConnections[index].insert(connection.pointee.handle.index)
        guard state.pointee.passesOver else { return false }
        state.pointee.hasPassedOver = true
        return true
    }

    /// Lines that wait for a connection, with all else that does, are over its limit. Where messages may fill
    /// that without an end to it, lines get what `block` has on top.
    @inline(never)
    func closeIfStuck(_ connection: ConnectionRef) {
        guard connection.pointee.policy.isClosedWhenSlow,
            !connection.pointee.flags.contains(.isClosing)
        else { return }
        if connection.pointee.blockedSince == 0 { flushEarly(connection) }
        let limit =
            connection.pointee.flags.contains(.staysWhenSlow)
            ? hardLimit(of: connection) : connection.pointee.pendingBytesMax
        guard connection.pointee.outbound.pendingBytes > limit,
            !connection.pointee.flags.contains(.isClosing)
        else { return }
        closeSlowConsumer(connection, .pendingBytes(max: limit))
    }

    /// More than this never waits for a connection: what it may have, what is under way from publishers and
    /// loops that were told to stop, and some lines.
    private func hardLimit(of connection: ConnectionRef) -> Int {
        let underWay = (loopCount - 1) * LoopLink.bytesInFlightCeiling
        return 2 * connection.pointee.pendingBytesMax + (8 << 20) + underWay
    }

    private func refuseSlowConsumer(_ connection: ConnectionRef) -> Room {
        closeSlowConsumer(
            connection, .pendingBytes(max: connection.pointee.pendingBytesMax))
        return .refused
    }

    /// Counts, reports and closes a peer that does not keep up, once however often it is found.
    func closeSlowConsumer(_ connection: ConnectionRef, _ cause: SlowConsumerCause) {
        guard !connection.pointee.flags.contains(.isClosing) else { return }
        record(.slowConsumer(cause), of: connection)
        if case .writeDeadline = cause {
            counters.pointee.slowConsumersByDeadline.add(1)
            close(connection, .slowConsumerWriteDeadline)
        } else {
            counters.pointee.slowConsumersByBytes.add(1)
            close(connection, .slowConsumerPendingBytes)
        }
    }

    private func dropOldest(
        _ frameBytes: Int, for subscription: SubscriptionRef, on connection: ConnectionRef
    ) -> Room {
        let over =
            connection.pointee.outbound.pendingBytes + frameBytes
            - connection.pointee.pendingBytesMax
        // A little more than needed, so that not every message walks the queue.
        let wanted = max(
            over, min(connection.pointee.pendingBytesMax / 16, OutboundQueue.chunkBytes))
        if connection.pointee.firstUnsentFrame >= 0 {
            // What was partly sent, if anything, is kept at the front.
            _ = connection.pointee.outbound.dropOldest(
                freeing: wanted, firstFrame: connection.pointee.firstUnsentFrame, pool: pool,
                returns: returns
            ) { sid, byteCount in
                // Its subscription may have gone.
                countDrop(
                    of: unsafe connection.pointee.subscriptions.find(
                        sid.start, sid.count, in: state.pointee.subscriptions),
                    on: connection)
                takeBackDelivery(connection, byteCount)
            }
        }
        let pending = connection.pointee.outbound.pendingBytes + frameBytes
        if pending <= connection.pointee.pendingBytesMax { return .write }
        countDrop(of: subscription, on: connection)
        return .dropped
    }

    /// A client is told of in the log when its first message is dropped.
    private func countDrop(of subscription: SubscriptionRef?, on connection: ConnectionRef) {
        if connection.pointee.droppedMessages == 0 {
            let max = connection.pointee.pendingBytesMax
            record(.dropsMessages(pendingBytesMax: max), of: connection)
        }
        connection.pointee.droppedMessages += 1
        subscription?.pointee.dropped += 1
        counters.pointee.droppedMessages.add(1)
    }

    /// The message is taken, and its publisher is not read until the subscriber has drained. What is under
    /// way from other publishers and loops may still come. Above twice the limit plus 8 MiB plus full links
    /// it is closed.
    private func block(_ message: Message, for connection: ConnectionRef, _ frameBytes: Int) -> Room
    {
        let isClosedWhenSlow = connection.pointee.policy.isClosedWhenSlow
        let pending = connection.pointee.outbound.pendingBytes + frameBytes
        guard !isClosedWhenSlow || pending <= hardLimit(of: connection) else {
            return refuseSlowConsumer(connection)
        }
        if isClosedWhenSlow, connection.pointee.deadlines.block == Deadlines.never {
            setDeadline(.block, now &+ state.pointee.settings.blockNanosecondsMax, connection)
        }
        let origin = message.origin
        guard origin.kind != .broker else { return .write }
        let publisher = WaitingPublishers.Publisher(handle: origin.connection, loop: origin.loop)
        do throws(OutOfMemory) {
            guard try remember(publisher, waitsFor: connection) else { return .write }
        } catch {
            refuseForLackOfMemory(connection)
            return .refused
        }
        if Int(origin.loop) == index {
            if let own = self.connection(origin.connection) { pauseForSubscriber(own) }
        } else {
            shared.loops[Int(origin.loop)].mail.post(.pausePublisher(origin.connection))
        }
        return .write
    }

    /// False when the publisher waits already.
    private func remember(
        _ publisher: WaitingPublishers.Publisher, waitsFor connection: ConnectionRef
    ) throws(OutOfMemory) -> Bool {
        if let waiting = connection.pointee.waitingPublishers {
            let list = unsafe WaitingPublishers.list(waiting)
            for i in 0..<waiting.pointee.count
            where unsafe list[i].handle == publisher.handle && list[i].loop == publisher.loop {
                return false
            }
        }
        let old = connection.pointee.waitingPublishers
        if old == nil || old!.pointee.count == old!.pointee.capacity { try growWaiting(connection) }
        let waiting = unsafe connection.pointee.waitingPublishers.unsafelyUnwrapped
        unsafe WaitingPublishers.list(waiting)[waiting.pointee.count] = publisher
        waiting.pointee.count += 1
        return true
    }

    private func growWaiting(_ connection: ConnectionRef) throws(OutOfMemory) {
        let old = connection.pointee.waitingPublishers
        let capacity = max(8, (old?.pointee.capacity ?? 0) * 2)
        let blockBytes =
            MemoryLayout<WaitingPublishers>.stride
            + capacity * MemoryLayout<WaitingPublishers.Publisher>.stride
        guard let block = unsafe pool.allocateOverBudget(blockBytes) else { throw OutOfMemory() }
        let grown = unsafe StablePointer(
            in: block, WaitingPublishers(capacity: capacity, blockBytes: blockBytes))
        if let old {
            grown.pointee.count = old.pointee.count
            unsafe WaitingPublishers.list(grown).update(
                from: WaitingPublishers.list(old), count: old.pointee.count)
            unsafe pool.free(old.block, old.pointee.blockBytes)
        }
        connection.pointee.waitingPublishers = grown
    }

    /// Lets the publishers of a subscriber go on: it has drained to half, or is closed.
    func releaseWaitingPublishers(_ connection: ConnectionRef) {
        guard let waiting = connection.pointee.waitingPublishers else { return }
        connection.pointee.waitingPublishers = nil
        connection.pointee.deadlines.block = Deadlines.never
        let list = unsafe WaitingPublishers.list(waiting)
        for i in 0..<waiting.pointee.count {
            if unsafe Int(list[i].loop) == index {
                if let publisher = unsafe self.connection(list[i].handle) {
                    resumeAfterSubscriber(publisher)
                }
            } else {
                unsafe shared.loops[Int(list[i].loop)].mail.post(.resumePublisher(list[i].handle))
            }
        }
        unsafe pool.free(waiting.block, waiting.pointee.blockBytes)
    }

    func pauseForSubscriber(_ publisher: ConnectionRef) {
        publisher.pointee.blockedByCount += 1
        pause(publisher, .blockedSubscriber)
    }

    func resumeAfterSubscriber(_ publisher: ConnectionRef) {
        publisher.pointee.blockedByCount -= 1
        if publisher.pointee.blockedByCount <= 0 { unpause(publisher, .blockedSubscriber) }
    }
}
