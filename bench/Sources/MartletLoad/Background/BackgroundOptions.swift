import ArgumentParser

/// What else a server has to do while it is measured.
struct BackgroundOptions: ParsableArguments {
    @Option(help: "connections that do nothing")
    var idle = 0

    @Option(help: "times a second that other connections subscribe, and as often unsubscribe")
    var churn = 0

    @Option(help: "subscribers that have stopped reading what is sent to them")
    var stopped = 0

    @Option(help: "bytes a second that those read nevertheless, each")
    var stoppedReads = 0

    @Option(help: "messages of 1 KiB that they are sent a second, each")
    var stoppedRate = 10_000

    @Option(help: "connections that come a second, while older ones go")
    var reconnects = 0

    func validate() throws {
        guard [idle, churn, stopped, stoppedReads, stoppedRate, reconnects].allSatisfy({ $0 >= 0 })
        else { throw ValidationError("what goes on in the background cannot be negative") }
    }

    /// Makes the connections; call it after those of the load, and before the barrier.
    func make(_ turns: Turns) throws -> Background {
        var activities: [any BackgroundActivity] = []
        try connectIdle(turns)
        if churn > 0 { activities.append(try Churn(turns, perSecond: churn)) }
        if reconnects > 0 { activities.append(try Reconnects(turns, perSecond: reconnects)) }
        for i in 0..<stopped {
            activities.append(
                try StoppedSubscriber(
                    turns, name: i, messagesPerSecond: stoppedRate, readsPerSecond: stoppedReads))
        }
        return Background(turns, activities)
    }

    /// Not faster than the server accepts: its backlog has an end.
    private func connectIdle(_ turns: Turns) throws {
        for i in 0..<idle {
            _ = try turns.connect()
            if i % 500 == 499 { try turns.barrier() }
        }
    }
}
