// Turns that others had to wait for.

/// What a turn was busy with for longest.
struct HeaviestWork {
    /// Kinds of work that may take long.
    enum Kind {
        /// What a connection has sent.
        case input
        /// A piece of a match that takes long.
        case match
        /// A piece of a message's deliveries to many.
        case fanOut
        /// A command, as its `name` says.
        case command(StaticString)
        /// Connections that are accepted.
        case accepting
        /// Connections that are closed.
        case closing
        /// Subscriptions of connections that have closed.
        case departures
        /// Output that is written at the end of the turn.
        case output
    }

    var kind = Kind.input
    /// In nanoseconds, or what `SliceWork` takes for that.
    var amount = HeaviestWork.amountMin
    /// INFO's client_id; 0 for nobody's.
    var connectionID: UInt64 = 0

    /// Less is not worth noting.
    static let amountMin: UInt64 = 16_384
}

extension TimerOwner.Kind {
    /// Of the loop itself: the worst stall of the last second is logged.
    static let stallLog = TimerOwner.Kind(rawValue: 1)
}

extension BrokerLoop {
    private static let stallLogNanoseconds: UInt64 = 1_000_000_000

    /// Keeps in mind what has taken longest in this turn.
    @inline(__always)
    func note(_ kind: HeaviestWork.Kind, _ amount: UInt64, of connectionID: UInt64 = 0) {
        guard amount > state.pointee.heaviest.amount else { return }
        state.pointee.heaviest = HeaviestWork(
            kind: kind, amount: amount, connectionID: connectionID)
    }

    /// Counts a turn that others had to wait for. The worst one of a second is logged when that is over.
    ///
    /// False when the whole process stood still for most of it: that is no turn of the broker's.
    @inline(never)
    func recordStall(_ nanoseconds: UInt64, _ events: Int) -> Bool {
        // The thread's own time stands still with the process.
        if !state.pointee.settings.measuresThreadTime,
            shared.standstills.isMost(ofTimeFrom: now, to: now &+ nanoseconds)
        {
            return false
        }
        counters.pointee.stalls.add(1)
        if state.pointee.worstStall == nil {
            self.events.timers.add(
                now &+ Self.stallLogNanoseconds, TimerOwner(kind: .stallLog, slot: .none))
        }
        guard nanoseconds > state.pointee.worstStall?.nanoseconds ?? 0 else { return true }
        state.pointee.worstStall = LoopStall(
            loop: index, nanoseconds: nanoseconds, events: events,
            commands: state.pointee.commandsInTurn,
            deliveries: counters.pointee.messagesOut.total - state.pointee.messagesBefore,
            mostOfIt: describe(state.pointee.heaviest))
        return true
    }

    func logWorstStall() {
        guard let stall = state.pointee.worstStall else { return }
        state.pointee.worstStall = nil
        shared.events.record(.loopStalled(stall))
    }

    private func describe(_ work: HeaviestWork) -> String {
        switch work.kind {
        case _ where work.amount <= HeaviestWork.amountMin: ""
        case .input: "input of cid:\(work.connectionID)"
        case .match: "a match for cid:\(work.connectionID)"
        case .fanOut: "a fan-out of cid:\(work.connectionID)"
        case .command(let name): "\(name)"
        case .accepting: "accepted connections"
        case .closing: "closed connections"
        case .departures: "subscriptions of closed connections"
        case .output: "output"
        }
    }
}
