// Message path, beside ReadBuffer.swift: whose input is not read for a while, and what the poller watches.

extension BrokerLoop {
    func pause(_ connection: ConnectionRef, _ reason: PauseReasons) {
        guard !connection.pointee.pauseReasons.contains(reason) else { return }
        let wasReading = connection.pointee.pauseReasons.isEmpty
        connection.pointee.pauseReasons.insert(reason)
        countPaused(reason, 1)
        if reason == .memory { recordMemoryWait() }
        endSlice()
        guard wasReading else { return }
        if reason.isDisjoint(with: .ownWork) {
            connection.pointee.stalls += 1
            counters.pointee.pausedPublishers.add(1)
        }
        watch(connection)
    }

    func unpause(_ connection: ConnectionRef, _ reason: PauseReasons) {
        guard connection.pointee.pauseReasons.contains(reason) else { return }
        connection.pointee.pauseReasons.remove(reason)
        countPaused(reason, -1)
        guard connection.pointee.pauseReasons.isEmpty else { return }
        connection.pointee.lastInputAt = now
        // Its PONG may stand in what was not read.
        connection.pointee.pingsOutstanding = 0
        watch(connection)
        keepForNextTurn(connection)
    }

    func countPaused(_ reason: PauseReasons, _ change: Int) {
        counters.pointee.paused[reason.index].add(change)
    }

    /// It has ended, and waits for nothing any more.
    func forgetPauses(_ connection: ConnectionRef) {
        guard !connection.pointee.pauseReasons.isEmpty else { return }
        for reason in connection.pointee.pauseReasons.each { countPaused(reason, -1) }
        connection.pointee.pauseReasons = []
    }

    /// Tells the poller what this connection waits for.
    func watch(_ connection: ConnectionRef) {
        guard let descriptor = connection.pointee.transport.descriptor else { return }
        var wanted: Readiness = []
        if connection.pointee.pauseReasons.isEmpty { wanted.insert(.readable) }
        if connection.pointee.pauseReasons.contains(.authentication) { wanted.insert(.endOfInput) }
        if connection.pointee.flags.contains(.awaitsWritable) { wanted.insert(.writable) }
        guard connection.pointee.flags.contains(.isUnwatched) else {
            return events.poller.change(descriptor, token: Self.token(of: connection), to: wanted)
        }
        guard !wanted.isEmpty else { return }
        connection.pointee.flags.remove(.isUnwatched)
        do {
            try events.poller.add(descriptor, token: Self.token(of: connection), for: wanted)
        } catch {
            close(connection, .readError)
        }
    }

    /// A peer hung up while its connection is paused. Nobody checks the credentials of who has gone.
    @inline(never)
    func peerHangsUp(_ connection: ConnectionRef) {
        if connection.pointee.pauseReasons.contains(.authentication) {
            close(connection, .clientClosed)
        } else {
            unwatch(connection)
        }
    }

    /// The poller would tell of the end at every turn.
    private func unwatch(_ connection: ConnectionRef) {
        guard let descriptor = connection.pointee.transport.descriptor else { return }
        connection.pointee.flags.insert(.isUnwatched)
        events.poller.remove(descriptor)
    }
}
