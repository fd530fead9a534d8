// What a connection leaves behind: its subscriptions, of which there may be a million.

/// A connection whose subscriptions are being removed. If it is closed, its slot stays its own until the last
/// one is gone, marked as closing, so that whoever still finds one of them delivers nothing. If it has sent
/// another CONNECT, that is carried out when the last one is gone.
struct Leaving: BitwiseCopyable {
    let slot: UInt32
    /// Where its subscriptions go on in their table.
    var cursor = SubscriptionTable.Cursor()
}

extension BrokerLoop {
    /// Subscriptions removed in one turn, by all who leave; 128 take about 200 µs. One of many tokens counts for
    /// more: a node of the tree takes some 80 ns.
    static let departuresPerTurn = 128
    private static let tokensOfOne = 16

    /// Begins to remove the subscriptions of a connection that has closed, as many as a turn may.
    func leave(_ connection: ConnectionRef) {
        var leaving = Leaving(slot: connection.pointee.handle.index)
        // From here on nobody finds the connection by its handle.
        connection.pointee.handle.generation &+= 1
        // It is in the list already.
        if connection.pointee.flags.contains(.losesSubscriptions) { return }
        if removeSubscriptions(of: &leaving) { return }
        state.pointee.leaving.append(leaving)
    }

    /// Whether what is there of a connection that sends another CONNECT is too much to be removed at once. Then
    /// its input waits.
    @inline(never)
    func mustWaitForDepartures(_ connection: ConnectionRef) -> Bool {
        guard connection.pointee.opening.hasConnected,
            connection.pointee.subscriptions.count > Self.departuresPerTurn
        else { return false }
        state.pointee.leaving.append(Leaving(slot: connection.pointee.handle.index))
        connection.pointee.flags.insert(.losesSubscriptions)
        pause(connection, .departures)
        return true
    }

    /// Goes on with those that an earlier turn left, the oldest first.
    @inline(never)
    func removeDeparted() {
        guard state.pointee.leaving.count > 0 else {
            state.pointee.departuresLeft = Self.departuresPerTurn
            return
        }
        note(.departures, UInt64(Self.departuresPerTurn * SliceWork.subscription))
        state.pointee.departuresLeft = Self.departuresPerTurn
        var gone = 0
        while gone < state.pointee.leaving.count {
            var leaving = state.pointee.leaving[gone]
            guard removeSubscriptions(of: &leaving) else {
                state.pointee.leaving[gone] = leaving
                break
            }
            gone += 1
        }
        state.pointee.leaving.removeFirst(gone)
    }

    /// The loop has stopped: all at once.
    func removeAllDeparted() {
        while state.pointee.leaving.count > 0 { removeDeparted() }
    }

    /// Whether all are gone, and with them the slot of a connection that is closed.
    private func removeSubscriptions(of leaving: inout Leaving) -> Bool {
        let connection = state.pointee.connections[Int(leaving.slot)]
        while let record = connection.pointee.subscriptions.removeNext(
            &leaving.cursor, in: state.pointee.subscriptions, pool: pool)
        {
            let tokens = unsafe Self.tokens(
                record.pointee.subject, Int(record.pointee.subjectCount))
            retire(record, connection)
            state.pointee.departuresLeft -= 1 + tokens / Self.tokensOfOne
            guard state.pointee.departuresLeft > 0 else { return false }
        }
        if connection.pointee.flags.contains(.isTaken) {
            connection.pointee.flags.remove(.losesSubscriptions)
            unpause(connection, .departures)
        } else {
            state.pointee.connections.give(back: Int(leaving.slot))
        }
        return true
    }
}
