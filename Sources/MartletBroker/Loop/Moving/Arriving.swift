// The loop that a moving connection comes to.

import Glibc

extension BrokerLoop {
    /// Connections that monitoring shows, in a list by their ids, of a loop that takes one more: its place is searched.
    static let orderedConnectionsMax = 4_096

    /// Makes a place for a connection, where what comes for it is gathered, and turns its subscriptions over to it.
    func arrive(_ move: Move) {
        let failed = LoopCommand.moveFailed(move)
        guard !state.pointee.isStopping, state.pointee.order.count < Self.orderedConnectionsMax,
            let connection = takeSlot(.closed, move.policy, id: move.id)
        else {
            shared.loops[move.source].mail.post(failed)
            return
        }
        prepare(connection, move)
        guard let records = openRecords(move, for: connection) else {
            giveUpSlot(connection)
            leave(connection)
            shared.loops[move.source].mail.post(failed)
            return
        }
        for (record, interest) in zip(records, move.interests) {
            connection.pointee.account.pointee.space.replace(interest.record, with: record)
        }
        move.arrival = connection.pointee.handle
        state.pointee.moves.arrivals.append(Moves.Arrival(move: move, records: records))
        for loop in shared.loops where loop.index != index { loop.mail.post(.hasSwitched(move)) }
        hasSwitched(move)
    }

    private func prepare(_ connection: ConnectionRef, _ move: Move) {
        connection.pointee.account = move.account
        connection.pointee.flags = [.isTaken, .isArriving, .awaitsWritable]
        connection.pointee.flags.formUnion(move.flags)
        if state.pointee.settings.traces { connection.pointee.flags.insert(.isTraced) }
        connection.pointee.pendingBytesMax = move.pendingBytesMax
        connection.pointee.blockedSince = max(1, now)
        unsafe connection.pointee.details = unsafe move.details.map { unsafe .passRetained($0) }
        connection.pointee.pauseReasons = .move
        countPaused(.move, 1)
    }

    /// Records like those of the old place, which the tree does not know yet; nil without memory, and none is left.
    private func openRecords(
        _ move: Move, for connection: ConnectionRef
    ) -> [SubscriptionRef]? {
        var records: [SubscriptionRef] = []
        records.reserveCapacity(move.interests.count)
        var start = 0
        for interest in move.interests {
            do throws(OutOfMemory) {
                records.append(try openRecord(interest, move.names, start, connection))
            } catch {
                for record in records {
                    connection.pointee.subscriptions.remove(record, pool: pool)
                    free(record)
                }
                return nil
            }
            start += Int(interest.subjectCount + interest.queueCount + interest.spacedSIDCount)
        }
        counters.pointee.subscriptions.add(records.count)
        return records
    }

    private func openRecord(
        _ interest: Move.Interest, _ names: [UInt8], _ start: Int, _ connection: ConnectionRef
    ) throws(OutOfMemory) -> SubscriptionRef {
        let record = try takeRecord(for: connection)
        record.pointee.subjectCount = interest.subjectCount
        record.pointee.queueCount = interest.queueCount
        record.pointee.spacedSIDCount = interest.spacedSIDCount
        do throws(OutOfMemory) {
            let block = unsafe try takeNames(record)
            unsafe names.withUnsafeBufferPointer { all in
                // SAFETY: the counts of all interests add up to the bytes of `names`.
                assert(start + record.pointee.nameBytes <= all.count)
                unsafe memcpy(block, all.baseAddress! + start, record.pointee.nameBytes)
            }
        } catch {
            state.pointee.subscriptions.give(back: Int(record.pointee.index))
            throw error
        }
        try enter(record, of: connection)
        return record
    }

    /// Bytes that the old place has not sent go before all that is gathered here.
    func takeUnsent(_ bytes: [UInt8], _ move: Move) {
        guard let place = state.pointee.moves.arrival(move),
            let connection = connection(move.arrival)
        else { return }
        var start = 0
        while start < bytes.count, !connection.pointee.flags.contains(.discardsOutput) {
            let count = min(bytes.count - start, OutboundQueue.chunkBytes / 2)
            var queue = state.pointee.moves.arrivals[place].earlier
            guard
                let room = unsafe queue.reserve(count, pool: pool)
                    ?? queue.reserveOverBudget(count, pool: pool)
            else {
                refuseForLackOfMemory(connection)
                connection.pointee.flags.insert(.discardsOutput)
                break
            }
            unsafe bytes.withUnsafeBufferPointer {
                _ = unsafe memcpy(room, $0.baseAddress! + start, count)
            }
            queue.commit(count)
            state.pointee.moves.arrivals[place].earlier = queue
            start += count
        }
    }

    /// Everything is here: the connection is this loop's, and is read on.
    func finishArrival(_ letter: HandedOver) {
        let move = letter.move
        // What it published at the old place comes before what it says here.
        deliverBatches()
        takeUnsent(letter.unsent, move)
        guard let place = state.pointee.moves.arrival(move),
            let connection = connection(move.arrival)
        else { return }
        var arrival = state.pointee.moves.arrivals.remove(at: place)
        connection.pointee.outbound.prepend(&arrival.earlier)
        letter.give(to: connection)
        for (record, delivered) in zip(arrival.records, letter.delivered) {
            record.pointee.delivered &+= delivered
        }
        enterOrder(connection)
        if connection.pointee.policy.isCounted { counters.pointee.connections.add(1) }
        connection.pointee.flags.subtract([.isArriving, .awaitsWritable])
        connection.pointee.firstUnsentFrame = -1
        connection.pointee.blockedSince = 0
        if let reason = letter.closeReason { close(connection, reason) }
        beginAnew(connection, letter)
    }

    /// Its socket is watched, its deadlines are set, and it hears what others have been told meanwhile.
    private func beginAnew(_ connection: ConnectionRef, _ letter: HandedOver) {
        let deadline = connection.pointee.deadlines.ping
        if deadline != Deadlines.never { setDeadline(.ping, deadline, connection) }
        keep(letter.carry, of: connection)
        if let descriptor = connection.pointee.transport.descriptor {
            do {
                try events.poller.add(
                    descriptor, token: Self.token(of: connection), for: .readable)
            } catch {
                shared.events.record(.watchingFailed(error))
                close(connection, .readError)
            }
        }
        connection.pointee.transport.hasMoved(to: mail, connection.pointee.handle)
        unpause(connection, .move)
        if state.pointee.isLameDuck, !letter.sourceIsLameDuck,
            connection.pointee.flags.contains(.asyncInfo)
        {
            sendInfo(connection, isConnectInfo: false)
        }
        if shared.accessHasChanged { reviewAccess(of: connection, shared.authenticator) }
        postBatches()
        flush(connection)
        closeIfStuck(connection)
        // It may have been closing before it was all here.
        if connection.pointee.flags.contains(.isClosing) {
            state.pointee.closing.append(connection.pointee.handle)
        }
    }

    private func keep(_ carry: [UInt8], of connection: ConnectionRef) {
        assert(carry.count <= Self.inputBytes)
        unsafe carry.withUnsafeBufferPointer {
            if let bytes = $0.baseAddress { unsafe memcpy(input, bytes, carry.count) }
        }
        keep(connection, from: 0, to: carry.count)
    }
}
