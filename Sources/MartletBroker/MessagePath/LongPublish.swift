// Message path, beside RouteMessage.swift: a message whose subscribers take longer than a slice to find.

import Glibc

/// A message that waits for its match, copied. Its publisher is not read meanwhile; what a worker or the broker
/// has for it gets behind it.
///
/// SAFETY: `bytes` and, of a large message, `message.payload` are references that it holds for the loop. Behind
/// the message's own bytes there are `queueCount` more.
@safe
struct LongPublish: BitwiseCopyable {
    enum Search: UInt8 {
        /// Who gets the message.
        case subscribers
        /// Who hears that nobody gets it: the requester's subscription to the reply subject.
        case requester
        /// Another member of a queue group, whose chosen one did not get what came from another loop.
        case member
    }

    let message: Message
    let bytes: PayloadRef
    let search: Search
    let queueCount: Int

    var subject: CountedBytes { search == .requester ? message.reply : message.subject }
    /// Of a member that is searched, its group.
    var queue: CountedBytes {
        unsafe CountedBytes(PayloadBuffer.bytes(bytes) + message.copiedBytes, queueCount)
    }
}

extension BrokerLoop {
    /// Nodes that long matches visit in a turn, one after another; 2,048 take 100 to 200 µs.
    static let nodesPerTurn = 2_048

    /// Whether something of this publisher's waits, behind which its next message has to stay.
    @inline(__always)
    func hasLongPublish(_ origin: Origin) -> Bool {
        state.pointee.longPublishes.count > 0 && waitsForMatch(origin)
    }

    /// Of a publisher that is still there its pause tells, however many others wait.
    @inline(never)
    private func waitsForMatch(_ origin: Origin) -> Bool {
        publisher(origin).map { $0.pointee.pauseReasons.contains(.match) }
            ?? isAmongLongPublishes(origin)
    }

    private func isAmongLongPublishes(_ origin: Origin) -> Bool {
        for i in 0..<state.pointee.longPublishes.count {
            let other = state.pointee.longPublishes[i].message.origin
            if other.connection == origin.connection, other.loop == origin.loop { return true }
        }
        return false
    }

    /// Puts a message aside until its match is done.
    @inline(never)
    func publishLater(
        _ message: Message, searching search: LongPublish.Search, of queue: CountedBytes = .none
    ) {
        guard state.pointee.longPublishes.reserve(state.pointee.longPublishes.count + 1),
            let bytes = makePayload(message.copiedBytes + queue.count)
        else { return refuseForLackOfMemory(message.origin) }
        let start = unsafe PayloadBuffer.bytes(bytes)
        unsafe message.copyBytes(to: start)
        unsafe memcpy(start + message.copiedBytes, queue.start, queue.count)
        if let payload = message.payload { PayloadBuffer.retain(payload) }
        state.pointee.longPublishes.append(
            unsafe LongPublish(
                message: message.moved(to: start), bytes: bytes, search: search,
                queueCount: queue.count))
        let origin = message.origin
        if let publisher = publisher(origin) { pause(publisher, .match) }
        if isElsewhere(origin) { mailOfLoop(of: origin).post(.pausePublisher(origin.connection)) }
    }

    private func isElsewhere(_ origin: Origin) -> Bool {
        Int(origin.loop) != index && origin.kind != .broker
    }

    /// A piece of the match of the one that has waited longest.
    @inline(never)
    func advanceLongPublish() {
        let first = state.pointee.longPublishes[0]
        note(
            .match, UInt64(Self.nodesPerTurn * SliceWork.node),
            of: publisher(first.message.origin)?.pointee.id ?? 0)
        var match =
            state.pointee.longMatch
            ?? LongMatch(of: first.subject, in: first.message.origin.account.space)
        state.pointee.longMatch = nil
        var found: StablePointer<Route>?
        do throws(OutOfMemory) {
            found = try match.advance(nodesMax: Self.nodesPerTurn, in: cache)
            guard found != nil else {
                state.pointee.longMatch = match
                return
            }
        } catch {
            refuseForLackOfMemory(first.message.origin)
        }
        state.pointee.longPublishes.removeFirst(1)
        state.pointee.isShortOfMemory = false
        if let found { goOn(first, along: found.pointee) }
        release(first)
        goOnAfterMatch(first.message.origin)
    }

    private func goOn(_ publish: LongPublish, along route: Route) {
        let message = publish.message
        switch publish.search {
        case .subscribers: finish(message, along: route)
        case .requester:
            sendNoResponders(
                to: message.origin, subject: message.subject, reply: message.reply, along: route)
        case .member: redeliver(message, to: publish.queue, along: route)
        }
    }

    private func goOnAfterMatch(_ origin: Origin) {
        if isElsewhere(origin) { mailOfLoop(of: origin).post(.resumePublisher(origin.connection)) }
        guard let publisher = publisher(origin) else { return }
        if state.pointee.isShortOfMemory { waitForMemory(publisher) }
        if !isAmongLongPublishes(origin) { unpause(publisher, .match) }
    }

    private func release(_ publish: LongPublish) {
        PayloadBuffer.release(publish.bytes, on: returns, pool: pool)
        if let payload = publish.message.payload {
            PayloadBuffer.release(payload, on: returns, pool: pool)
        }
    }

    /// The loop has stopped.
    func discardLongPublishes() {
        state.pointee.longMatch?.abandon()
        state.pointee.longMatch = nil
        for i in 0..<state.pointee.longPublishes.count { release(state.pointee.longPublishes[i]) }
        state.pointee.longPublishes.removeAll()
    }
}
