// How a connection ends.

import CMartletSystem
import Glibc

extension BrokerLoop {
    /// Marks a connection for closing at the end of the turn: whoever holds it now can finish.
    func close(_ connection: ConnectionRef, _ reason: CloseReason) {
        guard !connection.pointee.flags.contains(.isClosing) else { return }
        connection.pointee.flags.insert(.isClosing)
        connection.pointee.opening.close()
        connection.pointee.closeReason = reason
        state.pointee.closing.append(connection.pointee.handle)
        endSlice()
    }

    /// Tells the peer why, then closes.
    func end(_ connection: ConnectionRef, _ reason: CloseReason, saying message: String? = nil) {
        guard !connection.pointee.flags.contains(.isClosing) else { return }
        if let message { sendError(connection, message) }
        close(connection, reason)
    }

    /// A turn closes connections for so long, at 10 to 40 µs each.
    static let closingNanosecondsMax: UInt64 = 100_000
    /// Connections closed in one turn, where time stands still.
    static let closesPerTurn = 16

    /// Those that have been closing longest, and what earlier ones left behind. What is queued for a
    /// connection is offered to its socket once.
    @inline(never)
    func finishClosing() {
        removeDeparted()
        let started = events.clock.now()
        var count = 0
        while count < min(state.pointee.closing.count, Self.closesPerTurn),
            state.pointee.departuresLeft > 0
        {
            let handle = unsafe state.pointee.closing.items[count]
            count += 1
            // One that moves between loops ends when it has arrived.
            guard let connection = connection(handle),
                !connection.pointee.pauseReasons.contains(.move)
            else { continue }
            closeNow(connection, connection.pointee.closeReason)
            let taken = events.clock.now() &- started
            note(.closing, taken)
            if taken >= Self.closingNanosecondsMax { break }
        }
        state.pointee.closing.removeFirst(count)
    }

    func closeNow(_ connection: ConnectionRef, _ reason: CloseReason) {
        assert(thread.isCurrent)
        // SAFETY: a connection ends once, or its blocks would be given back twice.
        assert(connection.pointee.flags.contains(.isTaken))
        connection.pointee.flags.insert(.isClosing)
        if !connection.pointee.flags.contains(.isArriving) {
            record(.closed(reason), of: connection)
            recordClosed(connection, reason)
        }
        if connection.pointee.pauseReasons.contains(.authentication) {
            shared.credentialChecks.cancel(connection.pointee.id)
        }
        forgetPauses(connection)
        releaseWaitingPublishers(connection)
        offerLastBytes(connection)
        if !connection.pointee.flags.contains(.isArriving) { closeTransport(connection, reason) }
        giveUpSlot(connection)
        leave(connection)
    }

    private func closeTransport(_ connection: ConnectionRef, _ reason: CloseReason) {
        let transport = connection.pointee.transport
        if let descriptor = transport.descriptor { events.poller.remove(descriptor) }
        if reason != .clientClosed { unsafe transport.discardInput(into: input, Self.readBytesMax) }
        transport.close()
        connection.pointee.transport = .closed
    }

    /// What the connection holds goes back; its transport is closed, or another loop's.
    func giveUpSlot(_ connection: ConnectionRef) {
        if !connection.pointee.flags.contains(.isArriving) { leaveOrder(connection) }
        connection.pointee.flags.remove(.isTaken)
        unsafe fullConnections[index].remove(connection.pointee.handle.index)
        connection.pointee.outbound.removeAll(pool: pool, returns: returns)
        releaseCarry(connection)
        releaseLargeMessage(connection)
        unsafe connection.pointee.details?.release()
        unsafe connection.pointee.details = nil
        unsafe connection.pointee.permissions?.release()
        unsafe connection.pointee.permissions = nil
        if connection.pointee.flags.contains(.isAdmitted) { shared.leave() }
    }

    private func recordClosed(_ connection: ConnectionRef, _ reason: CloseReason) {
        if connection.pointee.policy.isListed {
            let count = Int(connection.pointee.subscriptions.count)
            shared.recordClosed(
                snapshot(of: connection, withSubscriptions: count <= 128, reason: reason))
        }
        if connection.pointee.policy.isCounted { counters.pointee.connections.add(-1) }
    }

    func offerLastBytes(_ connection: ConnectionRef) {
        guard
            connection.pointee.flags.isDisjoint(
                with: [.discardsOutput, .isArriving, .isHandedOver])
        else { return }
        while !connection.pointee.outbound.isEmpty {
            let (count, byteCount) = gather(connection)
            guard
                case .complete = unsafe connection.pointee.transport.send(
                    vectors, count, byteCount: byteCount)
            else { return }
            connection.pointee.outbound.consume(byteCount, pool: pool, returns: returns)
        }
    }

    /// The loop has stopped: every connection ends.
    func closeEverything() {
        stopListening()
        forEachConnection { closeNow($0, .serverShutdown) }
        removeAllDeparted()
        forgetMoves()
        discardLongPublishes()
    }
}
