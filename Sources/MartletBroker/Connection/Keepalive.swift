// Deadlines, PINGs to silent clients, stale connections.

extension BrokerLoop {
    /// Sets one of a connection's deadlines, and an entry in the timers if it is nearer than the others.
    func setDeadline(_ kind: Deadlines.Kind, _ deadline: UInt64, _ connection: ConnectionRef) {
        connection.pointee.deadlines.set(kind, deadline)
        arm(connection)
    }

    private func arm(_ connection: ConnectionRef) {
        let nearest = connection.pointee.deadlines.nearest
        guard nearest < connection.pointee.deadlines.armed else { return }
        connection.pointee.deadlines.overtaken = connection.pointee.deadlines.armed
        connection.pointee.deadlines.armed = nearest
        events.timers.add(
            nearest, TimerOwner(kind: .connection, slot: connection.pointee.handle))
    }

    /// A deadline of a connection's has come.
    func connectionIsDue(_ deadline: UInt64, _ handle: SlabHandle) {
        guard let connection = connection(handle), !connection.pointee.flags.contains(.isClosing),
            deadline == connection.pointee.deadlines.armed
        else { return }
        // The entry that this one overtook still stands in the timers: it counts again, so that a
        // connection with many near deadlines does not leave an entry behind for each.
        connection.pointee.deadlines.armed = connection.pointee.deadlines.overtaken
        connection.pointee.deadlines.overtaken = Deadlines.never
        let due = connection.pointee.deadlines
        if due.authentication <= now {
            connection.pointee.deadlines.authentication = Deadlines.never
            if let refusal = connection.pointee.opening.authenticationTimesOut() {
                return turnAway(connection, refusal)
            }
        }
        if due.write <= now {
            let cause = SlowConsumerCause.writeDeadline(
                nanoseconds: state.pointee.settings.writeDeadlineNanoseconds,
                chunks: connection.pointee.outbound.segmentCount,
                pendingBytes: connection.pointee.outbound.pendingBytes)
            return closeSlowConsumer(connection, cause)
        }
        if due.block <= now { return closeSlowConsumer(connection, .blockedPublishers) }
        if due.resume <= now {
            connection.pointee.deadlines.resume = Deadlines.never
            unpause(connection, .rate)
            unpause(connection, .memory)
        }
        if due.ping <= now { pingOrClose(connection) }
        arm(connection)
    }

    // MARK: PING and PONG

    /// The first PING comes soon, to measure the round trip; 2 s and up to a fifth more.
    func setFirstPing(_ connection: ConnectionRef) {
        guard connection.pointee.policy.isPinged else { return }
        let base = min(2_000_000_000, state.pointee.settings.pingIntervalNanoseconds)
        let spread = UInt64(state.pointee.random.below(Int(base / 5) + 1))
        setDeadline(.ping, now &+ base &+ spread, connection)
    }

    private func pingOrClose(_ connection: ConnectionRef) {
        let settings = state.pointee.settings
        connection.pointee.deadlines.ping = now &+ settings.pingIntervalNanoseconds
        // A connection that is not read cannot answer.
        guard connection.pointee.pauseReasons.isEmpty else { return }
        let isActive = now &- connection.pointee.lastInputAt < settings.pingIntervalNanoseconds
        if isActive, connection.pointee.roundTripNanoseconds != 0 { return }
        guard connection.pointee.pingsOutstanding < settings.pingsOutstandingMax else {
            counters.pointee.staleConnections.add(1)
            record(.stale, of: connection)
            return end(connection, .staleConnection, saying: "Stale Connection")
        }
        connection.pointee.pingsOutstanding += 1
        connection.pointee.pingSentAt = now
        send(connection, Line.ping)
    }

    @inline(__always)
    func recordPong(_ connection: ConnectionRef) {
        connection.pointee.pingsOutstanding = 0
        if connection.pointee.pingSentAt != 0 {
            connection.pointee.roundTripNanoseconds = max(1, now &- connection.pointee.pingSentAt)
            connection.pointee.pingSentAt = 0
        }
    }
}
