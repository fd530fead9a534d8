// Message path, step 10: bytes go out. The end of the path.

import CMartletSystem
import Glibc
import Logging

extension BrokerLoop {
    @inline(__always)
    func markDirty(_ connection: ConnectionRef) {
        guard !connection.pointee.flags.contains(.isDirty) else { return }
        connection.pointee.flags.insert(.isDirty)
        if connection.pointee.flushedInTurn == state.pointee.turn {
            connection.pointee.gatheringTurns = Self.gatheringTurns
        }
        state.pointee.dirty.append(connection.pointee.handle)
    }

    /// Between two events of a turn: writes to those that got output from the first. The next one's
    /// messages then need not wait for it, and its receiver can work while this loop does. Who would so be
    /// written to twice in a turn gathers its output until the turn ends, for the next turns too.
    ///
    /// Other loops must get their batches before any socket is written; with more than one, all output
    /// leaves at the end of the turn.
    @inline(__always)
    func flushBetweenEvents() {
        guard events.poller.hasEvents, state.pointee.dirty.count > state.pointee.gathering,
            loopCount == 1, state.pointee.settings.coalesceNanoseconds == 0
        else { return }
        flushNew()
    }

    @inline(never)
    private func flushNew() {
        let end = min(
            state.pointee.dirty.count, state.pointee.gathering + Self.flushesBetweenEvents)
        var kept = state.pointee.gathering
        for i in state.pointee.gathering..<end {
            let handle = unsafe state.pointee.dirty.items[i]
            guard let connection = connection(handle) else { continue }
            if connection.pointee.gatheringTurns > 0 {
                unsafe state.pointee.dirty.items[kept] = handle
                kept += 1
            } else {
                connection.pointee.flags.remove(.isDirty)
                connection.pointee.flushedInTurn = state.pointee.turn
                flushFast(connection)
            }
        }
        state.pointee.gathering = kept
        state.pointee.dirty.remove(from: kept, to: end)
    }

    /// Gather, then act once a turn: batches first, then one write for each connection with something
    /// to say, then the connections that end.
    @inline(__always)
    func endTurn() {
        returns.collect(into: pool)
        postBatches()
        flushDirty()
        if state.pointee.fannedOut.count > 0 { settleFanOuts() }
        if state.pointee.closing.count > 0 { finishClosing() }
    }

    /// Whether output waits for more to come, which the setting `coalesce` asks for.
    @inline(__always)
    private func holdsOutputBack() -> Bool {
        let window = state.pointee.settings.coalesceNanoseconds
        guard window > 0, state.pointee.dirty.count > 0, !state.pointee.isStopping else {
            return false
        }
        if state.pointee.outputDueAt == .max { state.pointee.outputDueAt = now &+ window }
        guard now >= state.pointee.outputDueAt else { return true }
        state.pointee.outputDueAt = .max
        return false
    }

    @inline(__always)
    private func flushDirty() {
        let count = state.pointee.dirty.count
        guard state.pointee.settings.coalesceNanoseconds == 0,
            state.pointee.unflushed.count == 0, count <= flushesPerTurn
        else { return flushBounded() }
        flush(state.pointee.dirty, count)
        startGathering()
    }

    @inline(__always)
    private func startGathering() {
        state.pointee.dirty.removeAll()
        state.pointee.gathering = 0
        state.pointee.turn &+= 1
    }

    /// Those that got output in this turn first, then those that an earlier one left; `flushesPerTurn` in
    /// all, so that a fan-out to thousands holds nobody else up, and a quarter of that at least of the
    /// earlier ones.
    @inline(never)
    private func flushBounded() {
        let holdsBack = holdsOutputBack()
        let own = holdsBack ? 0 : min(state.pointee.dirty.count, flushesPerTurn)
        flush(state.pointee.dirty, own)
        let earlier = state.pointee.unflushed.count
        if earlier > 0 {
            let share = min(earlier, max(flushesPerTurn / 4, flushesPerTurn - own))
            flush(state.pointee.unflushed, share)
            state.pointee.unflushed.removeFirst(share)
        }
        guard !holdsBack else { return }
        for i in own..<state.pointee.dirty.count {
            unsafe state.pointee.unflushed.append(state.pointee.dirty.items[i])
        }
        startGathering()
    }

    /// Writes to the first `count` of a list. Flushing may release publishers or doom connections, never make
    /// new frames.
    @inline(__always)
    private func flush(_ list: HandleList, _ count: Int) {
        for i in 0..<count {
            guard let connection = unsafe connection(list.items[i]) else { continue }
            connection.pointee.flags.remove(.isDirty)
            if connection.pointee.gatheringTurns > 0 { connection.pointee.gatheringTurns &-= 1 }
            flushFast(connection)
        }
    }

    /// Nearly always what waits is one chunk, for a socket that has room for it. A connection that waits
    /// for room is written to when the poller finds it.
    @inline(__always)
    private func flushFast(_ connection: ConnectionRef) {
        guard
            connection.pointee.flags.isDisjoint(with: [.awaitsWritable, .discardsOutput]),
            let chunk = connection.pointee.outbound.onlyChunk,
            let descriptor = connection.pointee.transport.directDescriptor,
            connection.pointee.blockedSince == 0, connection.pointee.waitingPublishers == nil
        else {
            if !connection.pointee.flags.contains(.awaitsWritable) { flush(connection) }
            return
        }
        let count = Int(chunk.pointee.end &- chunk.pointee.start)
        let sent = unsafe martlet_send(
            descriptor, chunk.pointee.bytes + Int(chunk.pointee.start), count)
        guard sent == count else { return flushRest(connection, sent) }
        connection.pointee.firstUnsentFrame = 0
        connection.pointee.outbound.removeOnly(chunk, pool: pool)
    }

    /// The socket has taken a part, or it has said why it takes nothing, and says it again.
    @inline(never)
    private func flushRest(_ connection: ConnectionRef, _ sent: Int) {
        guard sent > 0 else { return flush(connection) }
        recordSent(connection, sent)
        awaitWritable(connection)
    }

    /// This connection has published to more connections than a turn writes to.
    @inline(never)
    func recordFanOut(_ publisher: ConnectionRef) {
        guard !publisher.pointee.flags.contains(.fansOut) else { return }
        publisher.pointee.flags.insert(.fansOut)
        state.pointee.fannedOut.append(publisher.pointee.handle)
    }

    /// Publishers that fan out are read again when all that got output from them are written to, so that
    /// what they publish cannot pile up faster than it leaves.
    @inline(never)
    private func settleFanOuts() {
        let isWritten = state.pointee.unflushed.count == 0
        for i in 0..<state.pointee.fannedOut.count {
            guard let publisher = unsafe connection(state.pointee.fannedOut.items[i]) else {
                continue
            }
            if isWritten {
                publisher.pointee.flags.remove(.fansOut)
                unpause(publisher, .fanOut)
            } else {
                pause(publisher, .fanOut)
            }
        }
        if isWritten { state.pointee.fannedOut.removeAll() }
    }

    /// Writes a connection with much pending before the turn ends.
    @inline(never)
    func flushEarly(_ connection: ConnectionRef) {
        guard !connection.pointee.flags.contains(.awaitsWritable) else { return }
        postBatches()
        flush(connection)
    }

    /// Writes until all is sent or the socket is full.
    @inline(never)
    func flush(_ connection: ConnectionRef) {
        guard !connection.pointee.flags.contains(.discardsOutput) else {
            return stopSending(connection)
        }
        while !connection.pointee.outbound.isEmpty {
            let (count, byteCount) = gather(connection)
            switch unsafe connection.pointee.transport.send(vectors, count, byteCount: byteCount) {
            case .complete: recordSent(connection, byteCount)
            case .wantsWrite(let sent):
                if sent > 0 { recordSent(connection, sent) }
                return awaitWritable(connection)
            case .closed(let code):
                stopSending(connection)
                // What a peer has sent before it went still counts: the end of its input closes it.
                if code != EPIPE, code != ECONNRESET { close(connection, .writeError) }
                return
            }
        }
        isDrained(connection)
    }

    /// Throws away what waits, and whatever comes for this connection from now on.
    func stopSending(_ connection: ConnectionRef) {
        connection.pointee.flags.insert(.discardsOutput)
        connection.pointee.outbound.removeAll(pool: pool, returns: returns)
        isDrained(connection)
    }

    @inline(__always)
    func gather(_ connection: ConnectionRef) -> (count: Int, byteCount: Int) {
        var count = 0
        var byteCount = 0
        var next = connection.pointee.outbound.head
        while let segment = next, count < Self.vectorsMax {
            let length = Int(segment.pointee.end &- segment.pointee.start)
            unsafe vectors[count] = unsafe iovec(
                iov_base: segment.pointee.bytes + Int(segment.pointee.start), iov_len: length)
            count &+= 1
            byteCount &+= length
            next = segment.pointee.next
        }
        return (count, byteCount)
    }

    @inline(__always)
    private func recordSent(_ connection: ConnectionRef, _ sent: Int) {
        if sent == connection.pointee.outbound.pendingBytes {
            connection.pointee.firstUnsentFrame = 0
        } else if connection.pointee.flags.contains(.dropsOld),
            connection.pointee.firstUnsentFrame >= 0
        {
            connection.pointee.firstUnsentFrame = connection.pointee.outbound.firstFrame(
                after: sent, startingFrom: connection.pointee.firstUnsentFrame)
        } else {
            connection.pointee.firstUnsentFrame = -1
        }
        connection.pointee.outbound.consume(sent, pool: pool, returns: returns)
        if connection.pointee.blockedSince != 0, sent > 0 {
            // A byte a second must not live for ever, but a queue that is never empty may be one that
            // moves fast: the deadline moves when all that was pending at the last one is gone.
            connection.pointee.overdueBytes &-= sent
            if connection.pointee.overdueBytes <= 0 { restartWriteDeadline(connection) }
            if connection.pointee.waitingPublishers != nil,
                connection.pointee.outbound.pendingBytes <= connection.pointee.pendingBytesMax / 2
            {
                releaseWaitingPublishers(connection)
            }
        }
    }

    @inline(__always)
    private func isDrained(_ connection: ConnectionRef) {
        let waited = connection.pointee.blockedSince != 0
        if waited || connection.pointee.waitingPublishers != nil { recordDrained(connection) }
    }

    @inline(never)
    private func recordDrained(_ connection: ConnectionRef) {
        connection.pointee.blockedSince = 0
        connection.pointee.deadlines.write = Deadlines.never
        if connection.pointee.waitingPublishers != nil { releaseWaitingPublishers(connection) }
        if connection.pointee.flags.contains(.awaitsWritable) {
            connection.pointee.flags.remove(.awaitsWritable)
            watch(connection)
        }
    }

    private func restartWriteDeadline(_ connection: ConnectionRef) {
        connection.pointee.blockedSince = now
        connection.pointee.overdueBytes = connection.pointee.outbound.pendingBytes
        guard connection.pointee.policy.isClosedWhenSlow else { return }
        setDeadline(.write, now &+ state.pointee.settings.writeDeadlineNanoseconds, connection)
    }

    private func awaitWritable(_ connection: ConnectionRef) {
        if connection.pointee.blockedSince == 0 { restartWriteDeadline(connection) }
        guard !connection.pointee.flags.contains(.awaitsWritable) else { return }
        connection.pointee.flags.insert(.awaitsWritable)
        watch(connection)
    }

    /// Tells the poller what this connection waits for.
    func watch(_ connection: ConnectionRef) {
        guard let descriptor = connection.pointee.transport.descriptor else { return }
        var wanted: Readiness = []
        if connection.pointee.pauseReasons.isEmpty { wanted.insert(.readable) }
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

    /// A peer that hung up while its connection is paused: the poller would say so at every turn.
    func unwatch(_ connection: ConnectionRef) {
        guard let descriptor = connection.pointee.transport.descriptor else { return }
        connection.pointee.flags.insert(.isUnwatched)
        events.poller.remove(descriptor)
    }

    // MARK: Pausing input

    func pause(_ connection: ConnectionRef, _ reason: PauseReasons) {
        guard !connection.pointee.pauseReasons.contains(reason) else { return }
        let wasReading = connection.pointee.pauseReasons.isEmpty
        connection.pointee.pauseReasons.insert(reason)
        endSlice()
        guard wasReading else { return }
        if reason.isDisjoint(with: [.authentication, .fanOut, .rules]) {
            connection.pointee.stalls += 1
            counters.pointee.pausedPublishers.add(1)
        }
        watch(connection)
    }

    func unpause(_ connection: ConnectionRef, _ reason: PauseReasons) {
        guard connection.pointee.pauseReasons.contains(reason) else { return }
        connection.pointee.pauseReasons.remove(reason)
        guard connection.pointee.pauseReasons.isEmpty else { return }
        connection.pointee.lastInputAt = now
        // Its PONG may stand in what was not read.
        connection.pointee.pingsOutstanding = 0
        watch(connection)
        keepForNextTurn(connection)
    }
}
