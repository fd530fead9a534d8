extension Broker {
    /// The open connections, each as its loop sees it between two turns, or the closed ones. Loops list some
    /// in each turn: connections and subscriptions that come or go meanwhile may be in it or not.
    public func connectionSnapshots(subscriptions: Bool, closed: Bool) async -> [ConnectionSnapshot]
    {
        if closed { return shared.closedConnections }
        return await openConnections(subscriptions: subscriptions) { _ in .all }
    }

    /// Those of these ids that are open.
    package func openConnections(
        _ ids: Set<UInt64>, subscriptions: Bool
    ) async -> [ConnectionSnapshot] {
        await openConnections(subscriptions: subscriptions) { _ in .ids(ids) }
    }

    /// A page of the open connections in the order of their ids, and how many there are. It costs what it
    /// shows and, for each that it passes over, a step in a list.
    package func openConnections(
        offset: Int, limit: Int, subscriptions: Bool
    ) async -> (total: Int, page: [ConnectionSnapshot]) {
        let searches = await firstConnections(offset.addingSaturating(limit))
        let page = searches.flatMap(\.found).sorted { $0.id < $1.id }
            .dropFirst(offset).prefix(limit)
        let connections = await openConnections(subscriptions: subscriptions) { loop in
            .handles(page.filter { $0.loop == loop }.map(\.handle))
        }
        return (searches.reduce(0) { $0 + $1.total }, connections.sorted { $0.id < $1.id })
    }

    private func openConnections(
        subscriptions: Bool, of selection: (_ loop: Int) -> ConnectionListing.Selection
    ) async -> [ConnectionSnapshot] {
        await askLoops { loop, then in
            .describeConnections(
                ConnectionListing(
                    withSubscriptions: subscriptions, of: selection(loop.index), then: then))
        }.flatMap { $0 }
    }

    private func firstConnections(_ count: Int) async -> [ConnectionSearch] {
        await askLoops { _, then in
            .findConnections(ConnectionSearch(countMax: count, then: then))
        }
    }

    /// Posts a command to each loop, and returns what they all have answered, also those that decline it.
    private func askLoops<Answer: Sendable>(
        _ command: (BrokerLoop, _ then: @escaping @Sendable (Answer) -> Void) -> LoopCommand
    ) async -> [Answer] {
        guard isRunning else { return [] }
        let (answers, continuation) = AsyncStream.makeStream(of: Answer.self)
        for loop in shared.loops {
            let command = command(loop) { continuation.yield($0) }
            if !loop.mail.post(command) { loop.decline(command) }
        }
        var all: [Answer] = []
        for await answer in answers {
            all.append(answer)
            if all.count == shared.loopCount { break }
        }
        return all
    }
}

extension Int {
    fileprivate func addingSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
