// Message path, beside FlushSchedule.swift: one message for many connections.

/// Connections whose output waits for more to come, and when it is due; the largest number when there are none.
struct HeldOutput {
    var connections = HandleList()
    var dueAt = UInt64.max
}

extension BrokerLoop {
    /// A message to so many plain subscriptions and more is a fan-out.
    static let fanOutMin = 16

    /// A message has gone to many subscriptions; who got output from it stands in `dirty` behind those that
    /// were there before. The publisher may be on another loop, or gone.
    @inline(never)
    func hasFannedOut(to count: Int, from publisher: ConnectionRef?, _ dirtyBefore: Int) {
        if count > flushesPerTurn {
            if let publisher { recordFanOut(publisher) }
        } else if state.pointee.settings.gathersFanOuts {
            holdBack(from: dirtyBefore)
        }
    }

    // MARK: To some: output waits while the loop is busy

    private func holdBack(from first: Int) {
        state.pointee.outputPace.look(
            at: now, busyNanoseconds: counters.pointee.busyNanoseconds.total)
        let window = state.pointee.outputPace.windowNanoseconds
        let dirty = state.pointee.dirty
        // Nobody has got anything that was not to be written to before, or all are on other loops.
        guard window > 0, first < dirty.count else { return }
        for i in first..<dirty.count {
            unsafe state.pointee.held.connections.append(dirty.items[i])
        }
        state.pointee.dirty.remove(from: first, to: dirty.count)
        if state.pointee.held.dueAt == .max { state.pointee.held.dueAt = now &+ window }
    }

    /// At the end of a turn: when it is due, they are written to like all that have got output in it.
    @inline(never)
    func releaseHeld() {
        guard
            state.pointee.isStopping || !state.pointee.settings.gathersFanOuts
                || events.clock.now() >= state.pointee.held.dueAt
        else { return }
        for i in 0..<state.pointee.held.connections.count {
            unsafe state.pointee.dirty.append(state.pointee.held.connections.items[i])
        }
        state.pointee.held.connections.removeAll()
        state.pointee.held.dueAt = .max
    }

    // MARK: To more than a turn writes to: publishers wait

    private func recordFanOut(_ publisher: ConnectionRef) {
        guard !publisher.pointee.flags.contains(.fansOut) else { return }
        publisher.pointee.flags.insert(.fansOut)
        state.pointee.fannedOut.append(publisher.pointee.handle)
    }

    /// Publishers that fan out are read again when all that got output from them are written to, so that
    /// what they publish cannot pile up faster than it leaves.
    @inline(never)
    func settleFanOuts() {
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
}
