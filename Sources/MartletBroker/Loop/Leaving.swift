// What a connection leaves behind: its subscriptions, of which there may be a million.

/// A connection that is closed and whose subscriptions are being removed. Its slot stays its own until the
/// last one is gone, marked as closing, so that whoever still finds one of them delivers nothing.
struct Leaving: BitwiseCopyable {
    let slot: UInt32
    /// Where its subscriptions go on in their table.
    var cursor = SubscriptionTable.Cursor()
}

extension BrokerLoop {
    /// Subscriptions removed in one turn, by all who leave; 128 take about 200 µs.
    static let departuresPerTurn = 128

    /// Begins to remove the subscriptions of a connection that has closed, as many as a turn may.
    func leave(_ connection: ConnectionRef) {
        var leaving = Leaving(slot: connection.pointee.handle.index)
        // From here on nobody finds the connection by its handle.
        connection.pointee.handle.generation &+= 1
        if removeSubscriptions(of: &leaving) { return }
        state.pointee.leaving.append(leaving)
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

    /// Whether all are gone, and with them the connection's slot.
    private func removeSubscriptions(of leaving: inout Leaving) -> Bool {
        let connection = state.pointee.connections[Int(leaving.slot)]
        while let record = connection.pointee.subscriptions.takeNext(
            &leaving.cursor, in: state.pointee.subscriptions)
        {
            retire(record, connection)
            state.pointee.departuresLeft -= 1
            guard state.pointee.departuresLeft > 0 else { return false }
        }
        connection.pointee.subscriptions.release(pool)
        state.pointee.connections.give(back: Int(leaving.slot))
        return true
    }
}
