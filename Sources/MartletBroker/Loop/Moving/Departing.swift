// The loop that a moving connection leaves.

import Glibc

extension BrokerLoop {
    /// Subscriptions of a connection that moves, and bytes of their names; both are copied in one turn.
    static let movedSubscriptionsMax = 128
    private static let movedNameBytesMax = 16 << 10
    /// Of output that is not sent, in one turn.
    static let movedBytesPerTurn = 256 << 10

    /// Begins to move a connection to another loop. False, and nothing has happened, when something keeps it here.
    @discardableResult
    func move(_ connection: ConnectionRef, to target: Int) -> Bool {
        assert(thread.isCurrent)
        guard target != index, canMove(connection), let move = describe(connection, for: target),
            SystemMemory.hasRoom(for: Self.movedBytesPerTurn)
        else { return false }
        pause(connection, .move)
        state.pointee.moves.departures.append(
            Moves.Departure(move: move, fencesLeft: loopCount))
        if shared.loops[target].mail.post(.arrive(move)) { return true }
        moveFailed(move)
        return false
    }

    /// Nothing waits for this connection or of it but what is described, copied or counted when it moves.
    func canMove(_ connection: ConnectionRef) -> Bool {
        let obstacles: ConnectionFlags = [
            .isClosing, .hasInputLeft, .hasJobs, .fansOut, .losesSubscriptions, .awaitsWritable,
            .awaitsAuthentication, .discardsOutput, .isUnwatched, .dropsOld, .staysWhenSlow,
        ]
        return connection.pointee.flags.isDisjoint(with: obstacles)
            && connection.pointee.flags.contains(.isTaken)
            && connection.pointee.pauseReasons.isEmpty && connection.pointee.policy.canMove
            && connection.pointee.opening.hasConnected && connection.pointee.transport.canMove
            && connection.pointee.payload == nil && connection.pointee.waitingPublishers == nil
            && connection.pointee.blockedByCount == 0 && connection.pointee.blockedSince == 0
            && connection.pointee.outbound.pendingBytes <= Self.movedBytesPerTurn
            && connection.pointee.subscriptions.count <= Self.movedSubscriptionsMax
            && !state.pointee.isLameDuck && !state.pointee.isStopping
    }

    /// nil where a subscription keeps it here: one whose UNSUB maximum counts, or one of a queue group that must not
    /// get the connection's own messages, which is told by its place.
    private func describe(_ connection: ConnectionRef, for target: Int) -> Move? {
        var interests: [Move.Interest] = []
        var names: [UInt8] = []
        var isFit = true
        let isEchoed = connection.pointee.flags.contains(.echo)
        connection.pointee.subscriptions.forEach(in: state.pointee.subscriptions) { record in
            isFit =
                isFit && record.pointee.deliveredMax == .max && record.pointee.policy == .close
                && (isEchoed || !record.pointee.isQueued)
                && names.count + record.pointee.nameBytes <= Self.movedNameBytesMax
            guard isFit else { return }
            unsafe names.append(
                contentsOf: UnsafeBufferPointer(
                    start: record.pointee.names, count: record.pointee.nameBytes))
            interests.append(
                Move.Interest(
                    record: record, subjectCount: record.pointee.subjectCount,
                    queueCount: record.pointee.queueCount,
                    spacedSIDCount: record.pointee.spacedSIDCount))
        }
        return isFit
            ? Move(of: connection, from: index, to: target, interests, names) : nil
    }

    /// The target has no room for it: it stays, as if nothing had happened.
    func moveFailed(_ move: Move) {
        guard let place = state.pointee.moves.departure(move) else { return }
        let departure = state.pointee.moves.departures.remove(at: place)
        guard let connection = connection(move.departure) else { return }
        unpause(connection, .move)
        for status in departure.owed {
            sendNoRespondersLater(status.origin, status.subject, status.reply)
        }
        // It may have been told to close meanwhile.
        if connection.pointee.flags.contains(.isClosing) {
            state.pointee.closing.append(connection.pointee.handle)
        }
    }

    /// A loop sends nothing more to the old place, and what it has sent is posted.
    func fenceHasCome(_ move: Move) {
        deliverBatches()
        guard let place = state.pointee.moves.departure(move) else { return }
        state.pointee.moves.departures[place].fencesLeft -= 1
        if state.pointee.moves.departures[place].fencesLeft == 0 { handOver(move) }
    }

    /// Gives the connection to the target, or a piece of its output if that is much.
    func handOver(_ move: Move) {
        guard let place = state.pointee.moves.departure(move),
            let connection = connection(move.departure)
        else { return }
        // What it brought about is on its way before the target reads on; what is sent now stays behind that.
        postBatches()
        if !connection.pointee.flags.contains(.isHandedOver) { stopWriting(connection) }
        let mail = shared.loops[move.target].mail
        if connection.pointee.outbound.pendingBytes > Self.movedBytesPerTurn {
            let piece = takeOutput(connection)
            // Where the target has stopped, so does this loop.
            if mail.post(.unsentOutput(move, piece)) { self.mail.post(.handOver(move)) }
            return
        }
        let unsent = takeOutput(connection)
        let letter = HandedOver(
            connection, move, of: shared, unsent: unsent,
            sourceIsLameDuck: state.pointee.isLameDuck)
        state.pointee.moves.departures.remove(at: place)
        leaveForGood(connection, move)
        mail.post(.handedOver(letter))
    }

    /// A last write; then the socket is not this loop's to write to.
    private func stopWriting(_ connection: ConnectionRef) {
        flushEarly(connection)
        if connection.pointee.flags.contains(.isClosing) {
            offerLastBytes(connection)
            if !connection.pointee.outbound.isEmpty { throwAwayOutput(connection) }
        }
        connection.pointee.flags.formUnion([.isHandedOver, .awaitsWritable])
        if let descriptor = connection.pointee.transport.descriptor {
            events.poller.remove(descriptor)
        }
    }

    /// Nothing behind what is thrown away may be sent.
    private func throwAwayOutput(_ connection: ConnectionRef) {
        connection.pointee.flags.insert(.discardsOutput)
        connection.pointee.outbound.removeAll(pool: pool, returns: returns)
    }

    /// As much unsent output as a turn may copy; without memory for that there is none any more, and the connection
    /// closes.
    private func takeOutput(_ connection: ConnectionRef) -> [UInt8] {
        let wanted = min(connection.pointee.outbound.pendingBytes, Self.movedBytesPerTurn)
        guard SystemMemory.hasRoom(for: wanted) else {
            refuseForLackOfMemory(connection)
            throwAwayOutput(connection)
            return []
        }
        var piece: [UInt8] = []
        piece.reserveCapacity(wanted)
        var next = connection.pointee.outbound.head
        while let segment = next, piece.count < wanted {
            let count = min(
                wanted - piece.count, Int(segment.pointee.end &- segment.pointee.start))
            unsafe piece.append(
                contentsOf: UnsafeBufferPointer(
                    start: segment.pointee.bytes + Int(segment.pointee.start), count: count))
            next = segment.pointee.next
        }
        connection.pointee.outbound.consume(piece.count, pool: pool, returns: returns)
        return piece
    }

    /// The slot and the records are free: nobody addresses them, and the tree has the new ones.
    private func leaveForGood(_ connection: ConnectionRef, _ move: Move) {
        for interest in move.interests {
            connection.pointee.subscriptions.remove(interest.record, pool: pool)
            free(interest.record)
        }
        assert(connection.pointee.subscriptions.count == 0)
        counters.pointee.subscriptions.add(-move.interests.count)
        if connection.pointee.policy.isCounted { counters.pointee.connections.add(-1) }
        forgetPauses(connection)
        giveUpSlot(connection)
        leave(connection)
    }
}
