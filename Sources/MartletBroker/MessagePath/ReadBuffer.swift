// Message path, step 1: bytes come in. Next: PublishFastPath.swift.

import CMartletSystem
import Glibc

/// One receive buffer serves all connections of a loop: it is filled, parsed in place, and what is not
/// whole yet is kept by the connection in a block just large enough. A connection that waits for
/// nothing holds no memory.
extension BrokerLoop {
    /// One read, and all the operations in it; in the slice that has begun, if it goes on with that.
    func readInput(_ connection: ConnectionRef, goingOn: Bool = false) {
        guard connection.pointee.pauseReasons.isEmpty,
            connection.pointee.flags.isDisjoint(with: [.isClosing, .hasInputLeft])
        else { return }
        if connection.pointee.payload != nil { return readPayload(connection) }
        let kept = connection.pointee.carryCount
        // SAFETY: where more is read, what is kept is a part of one operation; the buffer has room for one,
        // and for a read behind it.
        assert(kept + Self.readBytesMax <= Self.inputBytes)
        if kept > 0 { unsafe memcpy(input, connection.pointee.carry.unsafelyUnwrapped, kept) }
        switch unsafe connection.pointee.transport.receive(into: input + kept, Self.readBytesMax) {
        case .bytes(let count):
            recordInput(connection)
            if !goingOn { work.pointee.restart() }
            // It is looked through again.
            work.pointee.add(kept)
            process(connection, kept + count)
            recordSlice(connection)
            readBufferedInput(connection)
        case .wantsRead: break
        case .closed(let code): close(connection, code == 0 ? .clientClosed : .readError)
        }
    }

    /// Input that the transport has buffered, unseen by the poller, is read next turn.
    @inline(__always)
    private func readBufferedInput(_ connection: ConnectionRef) {
        if connection.pointee.transport.hasBufferedInput { putOff(connection) }
    }

    /// Before new bytes are looked at, what other loops have posted is delivered: whatever their sender
    /// could know of when it sent them comes first. That makes PONG a barrier between loops, and keeps
    /// an UNSUB or a PUB from overtaking messages it followed. One atomic load when there is none.
    @inline(__always)
    private func recordInput(_ connection: ConnectionRef) {
        connection.pointee.lastInputAt = now
        if mail.hasMail { deliverBatches() }
    }

    /// The rest of a large payload goes straight to its buffer; what follows it, to the loop's.
    private func readPayload(_ connection: ConnectionRef) {
        guard let payload = payloadWithRoom(connection) else { return }
        let filled = payload.pointee.filled
        let wanted = payload.pointee.room - filled
        let takesMore = payload.pointee.room == payload.pointee.count
        unsafe vectors[0] = unsafe iovec(
            iov_base: PayloadBuffer.bytes(payload) + filled, iov_len: wanted)
        unsafe vectors[1] = unsafe iovec(
            iov_base: input, iov_len: takesMore ? Self.readBytesMax : 0)
        switch unsafe connection.pointee.transport.receive(into: vectors) {
        case .bytes(let count):
            recordInput(connection)
            work.pointee.restart()
            payload.pointee.filled += min(count, wanted)
            readBufferedInput(connection)
            guard checkPayloadEnd(connection, payload) else { return }
            guard payload.pointee.filled == payload.pointee.count else { return }
            finishPayload(connection)
            guard !connection.pointee.flags.contains(.isClosing) else { return }
            if mustStop {
                return yield(connection, from: 0, to: max(0, count - wanted))
            }
            process(connection, max(0, count - wanted))
            recordSlice(connection)
        case .wantsRead: break
        case .closed(let code): close(connection, code == 0 ? .clientClosed : .readError)
        }
    }

    private func finishPayload(_ connection: ConnectionRef) {
        state.pointee.isShortOfMemory = false
        publishLarge(connection)
        if state.pointee.isShortOfMemory { waitForMemory(connection) }
    }

    /// The payload, whose line is kept, must be followed by CR LF; said as soon as a wrong byte is there.
    func checkPayloadEnd(_ connection: ConnectionRef, _ payload: PayloadRef) -> Bool {
        let bytes = unsafe PayloadBuffer.bytes(payload)
        let end = payload.pointee.count - 2
        let filled = payload.pointee.filled
        if filled > end,
            unsafe bytes[end] != .carriageReturn || filled > end + 1 && bytes[end + 1] != .lineFeed
        {
            if state.pointee.settings.traces { traceLargeLine(connection) }
            refuse(connection, .unknownOperation)
            return false
        }
        return true
    }

    /// Parses and carries out what stands in the receive buffer.
    @inline(never)
    func process(_ connection: ConnectionRef, _ count: Int) {
        assert(thread.isCurrent)
        assert(count <= Self.inputBytes)
        var position = 0
        // A shortage that something else met is not this connection's.
        state.pointee.isShortOfMemory = false
        while position < count {
            let start = position
            position = publishFast(connection, from: start, to: count)
            if position == start {
                guard let end = processNext(connection, from: start, to: count) else {
                    // What was kept of a line that is not whole may have gone over the budget.
                    if state.pointee.isShortOfMemory,
                        !connection.pointee.flags.contains(.isClosing)
                    {
                        waitForMemory(connection)
                    }
                    return
                }
                position = end
            }
            guard mustStop else { continue }
            if connection.pointee.flags.contains(.isClosing) { return }
            if state.pointee.isShortOfMemory { waitForMemory(connection) }
            return yield(connection, from: position, to: count)
        }
        releaseCarry(connection)
    }

    /// The operation that starts at `start`, whatever it is. Returns its end; nil when it is not whole, or
    /// ends the connection.
    @inline(never)
    private func processNext(_ connection: ConnectionRef, from start: Int, to count: Int) -> Int? {
        if connection.pointee.flags.contains(.awaitsAuthentication),
            unsafe !mayProceed(connection, input[start])
        {
            return nil
        }
        var parser = Parser(
            controlLineBytesMax: state.pointee.settings.controlLineBytesMax,
            payloadBytesMax: state.pointee.settings.payloadBytesMax,
            largePayloadBytes: Self.largePayloadBytes)
        var operation = Operation()
        let hasHeaders = connection.pointee.flags.contains(.headers)
        switch unsafe parser.next(
            input, from: start, to: count, headers: hasHeaders, into: &operation)
        {
        case .complete:
            if state.pointee.settings.hasRules,
                unsafe mustWaitForWorker(connection, input, operation)
            {
                keep(connection, from: start, to: count)
                return nil
            }
            if operation.verb == .connect, mustWaitForDepartures(connection) {
                keep(connection, from: start, to: count)
                return nil
            }
            work.pointee.add(SliceWork.operation)
            dispatch(connection, operation)
            return operation.end
        case .largePayload:
            return takeLargePayload(connection, operation, count)
        case .incomplete:
            keep(connection, from: unsafe parser.compactedStart(input, to: count), to: count)
        case .violation(let violation):
            if state.pointee.settings.traces { trace(connection, refused: operation, violation) }
            refuse(connection, violation, operation, from: start, to: count)
        }
        return nil
    }

    @inline(__always)
    private func recordSlice(_ connection: ConnectionRef) {
        note(
            .input, UInt64(truncatingIfNeeded: work.pointee.spent), of: connection.pointee.id)
    }

    /// True when the connection that is read has used its slice of the turn. Whatever pauses or closes a
    /// connection ends its slice.
    @inline(__always)
    var mustStop: Bool { work.pointee.isLookDue && sliceIsOver() }

    @inline(never)
    private func sliceIsOver() -> Bool {
        work.pointee.isOver(
            at: events.clock.now(), nanosecondsMax: state.pointee.settings.sliceNanoseconds)
    }

    func endSlice() { work.pointee.end() }

    @inline(never)
    private func yield(_ connection: ConnectionRef, from start: Int, to end: Int) {
        keep(connection, from: start, to: end)
        if end > start, connection.pointee.pauseReasons.isEmpty { putOff(connection) }
    }

    /// What it has left is for the next turns.
    @inline(never)
    private func putOff(_ connection: ConnectionRef) {
        guard !connection.pointee.flags.contains(.hasInputLeft) else { return }
        connection.pointee.flags.insert(.hasInputLeft)
        state.pointee.yielded.append(connection.pointee.handle)
    }

    /// Goes on when this turn has handled its events, or with the next one's.
    @inline(never)
    func keepForNextTurn(_ connection: ConnectionRef) {
        guard !connection.pointee.flags.contains(.hasInputLeft) else { return }
        connection.pointee.flags.insert(.hasInputLeft)
        state.pointee.resumable.append(connection.pointee.handle)
    }

    /// Goes on with input that the end of a slice or a pause left over.
    @inline(__always)
    func resumeWork() {
        if state.pointee.longPublishes.count > 0 { advanceLongPublish() }
        if state.pointee.resumable.count | state.pointee.yielded.count > 0 { resumeAll() }
    }

    @inline(never)
    private func resumeAll() {
        let count = state.pointee.resumable.count
        for i in 0..<count {
            guard let connection = unsafe connection(state.pointee.resumable.items[i]) else {
                continue
            }
            connection.pointee.flags.remove(.hasInputLeft)
            work.pointee.startedAt = events.clock.now()
            resume(connection)
        }
        state.pointee.resumable.removeFirst(count)
        // Who has had its slice of this turn goes on in the next one.
        for i in 0..<state.pointee.yielded.count {
            unsafe state.pointee.resumable.append(state.pointee.yielded.items[i])
        }
        state.pointee.yielded.removeAll()
    }

    /// Parses what is kept, then reads on if the transport has buffered input, unseen by the poller.
    func resume(_ connection: ConnectionRef) {
        guard connection.pointee.pauseReasons.isEmpty,
            !connection.pointee.flags.contains(.isClosing)
        else {
            return
        }
        work.pointee.restart()
        if let payload = connection.pointee.payload,
            payload.pointee.filled == payload.pointee.count
        {
            finishPayload(connection)
            // What it left to do is done by who unpauses or closes it.
            guard connection.pointee.pauseReasons.isEmpty,
                !connection.pointee.flags.contains(.isClosing)
            else { return }
        }
        let kept = connection.pointee.carryCount
        if kept > 0, connection.pointee.payload == nil {
            unsafe memcpy(input, connection.pointee.carry.unsafelyUnwrapped, kept)
            process(connection, kept)
            recordSlice(connection)
        }
        if connection.pointee.transport.hasBufferedInput { readInput(connection, goingOn: true) }
    }

    /// Keeps bytes of the receive buffer for the connection's next read.
    @inline(never)
    func keep(_ connection: ConnectionRef, from start: Int, to end: Int) {
        assert(start >= 0 && end <= Self.inputBytes)
        let count = end - start
        guard count > 0 else { return releaseCarry(connection) }
        if connection.pointee.carryBlockBytes < count {
            releaseCarry(connection)
            let blockBytes = BlockPool.capacity(for: max(count, 512))
            guard let block = unsafe pool.allocate(blockBytes) ?? shedAndAllocate(blockBytes) else {
                return refuseForLackOfMemory(connection)
            }
            unsafe connection.pointee.carry = unsafe block.assumingMemoryBound(to: UInt8.self)
            connection.pointee.carryBlockBytes = blockBytes
        }
        unsafe memcpy(connection.pointee.carry.unsafelyUnwrapped, input + start, count)
        connection.pointee.carryCount = count
    }

    @inline(__always)
    func releaseCarry(_ connection: ConnectionRef) {
        guard let carry = unsafe connection.pointee.carry else { return }
        unsafe pool.free(carry, connection.pointee.carryBlockBytes)
        unsafe connection.pointee.carry = nil
        connection.pointee.carryCount = 0
        connection.pointee.carryBlockBytes = 0
    }
}
