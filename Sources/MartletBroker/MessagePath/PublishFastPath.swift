// Message path, step 2: nearly every message takes this shorter way from bytes to subscribers. Next: Dispatch.swift.

import CMartletSystem

/// A whole `PUB subject [reply ]size CR LF payload CR LF` with single spaces, a line of at most 64 bytes
/// behind the verb and a payload that is not large. `Parser` finds the same places in these bytes, and
/// whatever else there is to parse is left to it. Four numbers stay in registers, where an `Operation`
/// does not: 598 instructions a message became 313.
///
/// SAFETY: `Parser.slack` bytes behind those that were received are readable.
struct PublishFastPath {
    let subjectCount: Int
    /// 0 without a reply subject.
    let replyCount: Int
    /// The control line with its CR LF.
    let lineCount: Int
    let payloadCount: Int

    /// Control lines behind the verb are this long at most.
    static let argumentBytesMax = 64
    static let subjectStart = 4

    /// Where `[reply ]size CR LF` starts.
    @inline(__always) var tailStart: Int { Self.subjectStart &+ subjectCount &+ 1 }
    /// Line and payload, with the CR LF of both.
    @inline(__always) var byteCount: Int { lineCount &+ payloadCount &+ 2 }

    @inline(__always)
    @unsafe func subject(in line: Bytes) -> CountedBytes {
        unsafe CountedBytes(line + Self.subjectStart, subjectCount)
    }

    /// `[reply ]size CR LF`, payload and CR LF.
    @inline(__always)
    @unsafe func tail(in line: Bytes) -> CountedBytes {
        unsafe CountedBytes(line + tailStart, byteCount &- tailStart)
    }

    /// Looks at the operation that starts at `line`, of which `count` bytes were received, at least one.
    @inline(__always)
    init?(_ line: Bytes, _ count: Int, payloadBytesMax: Int) {
        // "pub " with the letters in lower case.
        guard unsafe martlet_load32(line) | 0x0020_2020 == 0x2062_7570 else { return nil }
        var mask = unsafe martlet_blank_mask(line + Self.subjectStart)
        guard mask & 1 == 0, mask != 0 else { return nil }
        let subjectEnd = Self.subjectStart &+ martlet_first_bit(mask)
        mask &= mask &- 1
        guard mask != 0, unsafe line[subjectEnd] == .space else { return nil }
        var lineEnd = Self.subjectStart &+ martlet_first_bit(mask)
        var sizeStart = subjectEnd &+ 1
        if unsafe line[lineEnd] == .space {
            replyCount = lineEnd &- sizeStart
            sizeStart = lineEnd &+ 1
            mask &= mask &- 1
            guard mask != 0, replyCount > 0 else { return nil }
            lineEnd = Self.subjectStart &+ martlet_first_bit(mask)
        } else {
            replyCount = 0
        }
        let digitCount = lineEnd &- sizeStart
        guard unsafe martlet_load16(line + lineEnd) == 0x0A0D, digitCount > 0, digitCount <= 9
        else { return nil }
        var size = 0
        repeat {
            let digit = unsafe line[sizeStart] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            size = size &* 10 &+ Int(digit)
            sizeStart &+= 1
        } while sizeStart != lineEnd
        subjectCount = subjectEnd &- Self.subjectStart
        lineCount = lineEnd &+ 2
        payloadCount = size
        guard size <= payloadBytesMax, lineCount &+ size &+ 2 <= count,
            unsafe martlet_load16(line + lineCount + size) == 0x0A0D
        else { return nil }
    }
}

extension BrokerLoop {
    /// Publishes plain PUBs that follow one another in the receive buffer. Returns where the first other
    /// operation starts, or where the slice ends.
    @inline(__always)
    func publishFast(_ connection: ConnectionRef, from start: Int, to count: Int) -> Int {
        guard takesFastPath(connection) else { return start }
        let cache = cache
        let hasRules = state.pointee.settings.hasRules
        let space = connection.pointee.account.space
        let payloadBytesMax = min(
            state.pointee.settings.payloadBytesMax, Self.largePayloadBytes - 1)
        var position = start
        var messages = 0
        var bytes = 0
        while position < count {
            let line = unsafe Bytes(input) + position
            guard
                let found = unsafe PublishFastPath(
                    line, count &- position, payloadBytesMax: payloadBytesMax),
                unsafe found.replyCount == 0
                    || !ReservedSubject.isSuspect(line + found.tailStart)
            else { break }
            assert(position &+ found.byteCount <= count)
            let subject = unsafe found.subject(in: line)
            if hasRules, state.pointee.ruleStage.gate.admits(subject[0]) { break }
            let route = cache.route(of: subject, in: space)
            let dirtyBefore = state.pointee.dirty.count
            let (next, delivered) = unsafe deliverHere(
                subject, found.tail(in: line), payloadBytes: found.payloadCount, along: route)
            if Int(route.pointee.plainCount) >= Self.fanOutMin {
                hasFannedOut(to: Int(route.pointee.plainCount), from: connection, dirtyBefore)
            }
            if next >= 0 {
                unsafe finish(found, line, connection, along: route, from: next, delivered)
            }
            position &+= found.byteCount
            messages &+= 1
            bytes &+= found.payloadCount
            if mustStop { break }
        }
        guard messages > 0 else { return start }
        connection.pointee.lastActivityAt = now
        connection.pointee.messagesIn &+= UInt64(truncatingIfNeeded: messages)
        connection.pointee.bytesIn &+= UInt64(truncatingIfNeeded: bytes)
        counters.pointee.messagesIn.add(messages)
        counters.pointee.bytesIn.add(bytes)
        return position
    }

    /// Nothing but finding subscribers is to be done for a message of this connection.
    @inline(__always)
    private func takesFastPath(_ connection: ConnectionRef) -> Bool {
        let decisive: ConnectionFlags = [
            .verbose, .pedantic, .echo, .awaitsAuthentication, .hasJobs,
        ]
        return connection.pointee.flags.intersection(decisive) == .echo
            && (unsafe connection.pointee.permissions == nil)
            && state.pointee.settings.publishesSimply
    }

    /// Copies the frame for plain subscriptions of this loop that have room, and stops at the first
    /// destination that needs `deliver`. Returns its index, or -1 when somebody has the message and
    /// nobody is left, and how many deliveries there were.
    @inline(always)
    private func deliverHere(
        _ subject: CountedBytes, _ tail: CountedBytes, payloadBytes: Int,
        along route: StablePointer<Route>
    ) -> (next: Int, delivered: Int) {
        guard route.pointee.isPlainHere else { return (0, 0) }
        let count = Int(route.pointee.plainCount)
        let destinations = unsafe route.pointee.destinations
        let now = now
        var delivered = 0
        var i = 0
        repeat {
            let destination = unsafe destinations[i]
            let subscription = destination.subscription
            let connection = state.pointee.connections[Int(destination.connection.index)]
            let sidCount = Int(subscription.pointee.spacedSIDCount)
            let frameBytes = 4 &+ subject.count &+ sidCount &+ tail.count
            guard connection.pointee.flags.isDisjoint(with: [.isClosing, .discardsOutput]),
                connection.pointee.outbound.pendingBytes &+ frameBytes
                    <= connection.pointee.pendingBytesMax
            else { break }
            i &+= 1
            guard Subscription.claim(subscription, expecting: destination.state) else { continue }
            // SAFETY: until the claim, the slot may have been another connection's; an open subscription's
            // is its own.
            assert(connection.pointee.handle == destination.connection)
            assert(Int(destination.loop) == index && destination.kind.takesCopiedFrames)
            guard var end = unsafe reserve(frameBytes, on: connection) else { continue }
            unsafe UnsafeMutableRawPointer(end).storeBytes(of: 0x2047_534D, as: UInt32.self)
            unsafe end += 4
            unsafe martlet_copy_slack16(end, subject.start, subject.count)
            unsafe end += subject.count
            unsafe martlet_copy_slack16(end, subscription.pointee.spacedSID, sidCount)
            unsafe martlet_copy_slack16(end + sidCount, tail.start, tail.count)
            connection.pointee.outbound.commit(frameBytes)
            delivered &+= 1
            connection.pointee.messagesOut &+= 1
            connection.pointee.bytesOut &+= UInt64(truncatingIfNeeded: payloadBytes)
            connection.pointee.lastActivityAt = now
            markDirty(connection)
            if connection.pointee.outbound.pendingBytes > Self.earlyFlushBytes {
                flushEarly(connection)
            }
            countDelivery(subscription, of: connection)
        } while i < count
        counters.pointee.messagesOut.add(delivered)
        counters.pointee.bytesOut.add(delivered &* payloadBytes)
        work.pointee.add(delivered &* (payloadBytes &+ SliceWork.delivery))
        return (i == count && delivered > 0 ? -1 : i, delivered)
    }

    /// What copying alone did not do: the rest of a route, other kinds of destinations, a 503.
    @inline(never)
    private func finish(
        _ found: PublishFastPath, _ line: Bytes, _ connection: ConnectionRef,
        along route: StablePointer<Route>, from first: Int, _ deliveredBefore: Int
    ) {
        if unsafe postPlain(found, line, connection, along: route) { return }
        work.pointee.add(SliceWork.operation)
        let subject = unsafe found.subject(in: line)
        guard unsafe isAllowedSubject(connection, subject.start, subject.count) else { return }
        var origin = Origin(connection, on: index)
        // As `takesFastPath` says; here, so that no destination is compared with the publisher.
        origin.flags.remove(.noEcho)
        let message = unsafe Message(
            subject: subject,
            line: CountedBytes(line + found.tailStart, found.lineCount &- found.tailStart),
            replyCount: found.replyCount, headerBytes: 0, totalBytes: found.payloadCount,
            content: .behindLine, from: origin)
        guard !route.pointee.traits.contains(.unfinished) else {
            return publishLater(message, searching: .subscribers)
        }
        guard !route.pointee.traits.contains(.wide) else {
            return publishInPieces(message, along: route)
        }
        let wasDelivered =
            !route.pointee.isEmpty
            && deliver(message, along: route.pointee, startingWith: first)
        if !wasDelivered, deliveredBefore == 0, message.wantsNoResponders {
            sendNoResponders(for: message)
        }
    }
}
