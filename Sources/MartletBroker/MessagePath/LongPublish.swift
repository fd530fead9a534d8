// Message path, beside RouteMessage.swift: a message whose subscribers take longer than a slice to find or to reach.

import Glibc

/// A message that waits for its match, or for its turns to be delivered in, copied. Its publisher is not read meanwhile; what a worker or the broker
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
        /// Nobody any more: the route is held, and its subscriptions from `position` on have not had the message.
        case none
    }

    let message: Message
    let bytes: PayloadRef
    let search: Search
    let queueCount: Int
    var held: HeldRoute
    var position = 0
    var wasDelivered = false

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
        _ message: Message, searching search: LongPublish.Search, of queue: CountedBytes = .none,
        along held: HeldRoute = .empty
    ) {
        guard state.pointee.longPublishes.reserve(state.pointee.longPublishes.count + 1),
            let bytes = makePayload(message.copiedBytes + queue.count)
        else {
            cache.release(held)
            return refuseForLackOfMemory(message.origin)
        }
        let start = unsafe PayloadBuffer.bytes(bytes)
        unsafe message.copyBytes(to: start)
        unsafe memcpy(start + message.copiedBytes, queue.start, queue.count)
        if let payload = message.payload { PayloadBuffer.retain(payload) }
        state.pointee.longPublishes.append(
            unsafe LongPublish(
                message: message.moved(to: start), bytes: bytes, search: search,
                queueCount: queue.count, held: held))
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
        guard first.search != .none else { return deliverPiece(of: first) }
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
        if let found { goOn(first, along: found) }
        release(first)
        goOnAfterMatch(first.message.origin)
    }

    private func goOn(_ publish: LongPublish, along route: StablePointer<Route>) {
        let message = publish.message
        switch publish.search {
        case .subscribers: finish(message, along: route)
        case .requester:
            sendNoResponders(
                to: message.origin, subject: message.subject, reply: message.reply,
                along: route.pointee)
        case .member: redeliver(message, to: publish.queue, along: route.pointee)
        case .none: break
        }
    }

    private func goOnAfterMatch(_ origin: Origin) {
        if isElsewhere(origin) { mailOfLoop(of: origin).post(.resumePublisher(origin.connection)) }
        guard let publisher = publisher(origin) else { return }
        if state.pointee.isShortOfMemory { waitForMemory(publisher) }
        if !isAmongLongPublishes(origin) { unpause(publisher, .match) }
    }

    private func release(_ publish: LongPublish) {
        cache.release(publish.held)
        PayloadBuffer.release(publish.bytes, on: returns, pool: pool)
        if let payload = publish.message.payload {
            PayloadBuffer.release(payload, on: returns, pool: pool)
        }
        if !state.pointee.moves.fencesDue.isEmpty { countLongPublish() }
    }

    /// The loop has stopped.
    func discardLongPublishes() {
        state.pointee.longMatch?.abandon()
        state.pointee.longMatch = nil
        for i in 0..<state.pointee.longPublishes.count { release(state.pointee.longPublishes[i]) }
        state.pointee.longPublishes.removeAll()
    }
}

// MARK: - More subscribers than a turn delivers to

extension BrokerLoop {
    @inline(never)
    func publishInPieces(_ message: Message, along route: StablePointer<Route>) {
        publishLater(message, searching: .none, along: cache.hold(route))
    }

    private func deliverPiece(of first: LongPublish) {
        var publish = first
        let (message, route) = (publish.message, publish.held.route)
        let count = Int(route.plainCount)
        let end = min(publish.position + Route.plainCountAtOnce, count)
        note(
            .fanOut, UInt64((end - publish.position) * SliceWork.delivery),
            of: publisher(message.origin)?.pointee.id ?? 0)
        state.pointee.isShortOfMemory = false
        if deliver(message, along: route, plain: publish.position..<end) {
            publish.wasDelivered = true
        }
        publish.position = end
        guard end == count else {
            state.pointee.longPublishes[0] = publish
            waitForFullLinks(message.origin)
            if state.pointee.isShortOfMemory { goOnAfterMatch(message.origin) }
            return
        }
        state.pointee.longPublishes.removeFirst(1)
        let wasDelivered = deliverToGroups(message, along: route, publish.wasDelivered)
        if !wasDelivered, message.wantsNoResponders { sendNoResponders(for: message) }
        release(publish)
        goOnAfterMatch(message.origin)
    }
}
