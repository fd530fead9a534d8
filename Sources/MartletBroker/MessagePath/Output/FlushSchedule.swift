// Message path, step 9: which connections are written to, and when. Next: Flush.swift.

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
    /// messages then need not wait for it, and its receiver can work while this loop does. A connection that
    /// would be written to twice in a turn gathers its output for `gatheringTurns`.
    ///
    /// Other loops must get their batches before any socket is written; where something is gathered for one, all
    /// output leaves at the end of the turn.
    @inline(__always)
    func flushBetweenEvents() {
        guard events.poller.hasEvents, state.pointee.dirty.count > state.pointee.gathering,
            loopCount == 1 || hasNothingForOtherLoops,
            state.pointee.settings.coalesceNanoseconds == 0
        else { return }
        flushNew()
    }

    private var hasNothingForOtherLoops: Bool {
        for target in 0..<loopCount where unsafe outgoing[target].pointee.isGathering {
            return false
        }
        return true
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
        assert(thread.isCurrent)
        returns.collect(into: pool)
        postBatches()
        // Without that the loop would never sleep again.
        assert((state.pointee.held.dueAt == .max) == (state.pointee.held.connections.count == 0))
        if state.pointee.held.connections.count > 0 { releaseHeld() }
        flushDirty()
        if state.pointee.fannedOut.count > 0 { settleFanOuts() }
        if state.pointee.closing.count | state.pointee.leaving.count > 0 { finishClosing() }
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
        state.pointee.hasTakenBatches = false
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
            let count = min(earlier, max(flushesPerTurn / 4, flushesPerTurn - own))
            flush(state.pointee.unflushed, count)
            state.pointee.unflushed.removeFirst(count)
        }
        guard !holdsBack else { return }
        for i in own..<state.pointee.dirty.count {
            unsafe state.pointee.unflushed.append(state.pointee.dirty.items[i])
        }
        startGathering()
    }

    /// Writes to the first `count` of a list. Flushing may release publishers or close connections, never
    /// make new frames.
    @inline(__always)
    private func flush(_ list: HandleList, _ count: Int) {
        for i in 0..<count {
            guard let connection = unsafe connection(list.items[i]) else { continue }
            connection.pointee.flags.remove(.isDirty)
            if connection.pointee.gatheringTurns > 0 { connection.pointee.gatheringTurns &-= 1 }
            flushFast(connection)
        }
    }

    /// Writes a connection with much pending before the turn ends.
    @inline(never)
    func flushEarly(_ connection: ConnectionRef) {
        guard !connection.pointee.flags.contains(.awaitsWritable) else { return }
        postBatches()
        flush(connection)
    }
}
