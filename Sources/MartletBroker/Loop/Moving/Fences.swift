// What every loop does about a connection that moves between two.

extension BrokerLoop {
    /// Whoever looks up a route from now on finds the new place. Says so to the source when nothing goes to the old one
    /// any more: when messages that go along routes from before are delivered.
    func hasSwitched(_ move: Move) {
        if index == move.source { learnAddress(move) }
        let underWay = state.pointee.longPublishes.count
        guard underWay == 0 else {
            state.pointee.moves.fencesDue.append(
                Moves.FenceDue(move: move, longPublishesLeft: underWay))
            return
        }
        passFence(move)
    }

    private func passFence(_ move: Move) {
        guard index != move.source else { return fenceHasCome(move) }
        postBatches()
        shared.loops[move.source].mail.post(.fence(move))
    }

    /// A message that took long to deliver is delivered.
    @inline(never)
    func countLongPublish() {
        for i in state.pointee.moves.fencesDue.indices {
            state.pointee.moves.fencesDue[i].longPublishesLeft -= 1
        }
        while let first = state.pointee.moves.fencesDue.first, first.longPublishesLeft == 0 {
            state.pointee.moves.fencesDue.removeFirst()
            passFence(first.move)
        }
    }

    /// A connection of this loop that does not move.
    func stayingConnection(_ handle: SlabHandle) -> ConnectionRef? {
        guard let connection = connection(handle),
            !connection.pointee.pauseReasons.contains(.move)
        else { return nil }
        return connection
    }

    /// It is on its way to another loop.
    func isLeaving(_ connection: ConnectionRef) -> Bool {
        connection.pointee.pauseReasons.contains(.move)
            && !connection.pointee.flags.contains(.isArriving)
    }

    /// The loop has stopped, and its connections are closed.
    func forgetMoves() {
        for i in state.pointee.moves.arrivals.indices {
            state.pointee.moves.arrivals[i].earlier.removeAll(pool: pool, returns: returns)
        }
        state.pointee.moves = Moves()
    }

    // MARK: A status 503 for a connection that has gone elsewhere

    private func learnAddress(_ move: Move) {
        guard let place = state.pointee.moves.departure(move) else { return }
        state.pointee.moves.remember(
            Moves.Address(
                old: move.departure, loop: UInt16(move.target), new: move.arrival))
        let owed = state.pointee.moves.departures[place].owed
        state.pointee.moves.departures[place].owed = []
        for status in owed { forwardNoResponders(status) }
    }

    /// Its requester has moved, or is moving: the status goes to the new place.
    func forwardNoResponders(_ status: Moves.NoResponders) {
        if let address = state.pointee.moves.address(of: status.origin.connection) {
            shared.loops[Int(address.loop)].mail.post(
                .noResponders(
                    status.origin.moved(to: address.new, on: address.loop),
                    subject: status.subject, reply: status.reply))
        } else if let place = state.pointee.moves.departures.firstIndex(where: {
            $0.move.departure == status.origin.connection
        }) {
            state.pointee.moves.departures[place].owed.append(status)
        }
    }
}
