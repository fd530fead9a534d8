import Glibc

extension Broker {
    /// The broker's counts at this moment.
    public func snapshot() -> BrokerSnapshot {
        var snapshot = BrokerSnapshot()
        snapshot.serverID = shared.serverID
        snapshot.serverName = shared.serverName
        snapshot.version = Self.compatibleVersion
        snapshot.martletVersion = Self.version
        snapshot.host = configuration.host
        snapshot.clientPort = clientPort
        snapshot.startedAt = shared.startedAt
        snapshot.now = Clock.wallNanoseconds()
        snapshot.loopCount = shared.loopCount
        for loop in shared.loops {
            let counters = loop.counters
            snapshot.connections += counters.pointee.connections.total
            snapshot.totalConnections += counters.pointee.connectionsTotal.total
            snapshot.subscriptions += counters.pointee.subscriptions.total
            snapshot.messagesIn += counters.pointee.messagesIn.total
            snapshot.messagesOut += counters.pointee.messagesOut.total
            snapshot.bytesIn += counters.pointee.bytesIn.total
            snapshot.bytesOut += counters.pointee.bytesOut.total
            snapshot.slowConsumersByBytes += counters.pointee.slowConsumersByBytes.total
            snapshot.slowConsumersByDeadline += counters.pointee.slowConsumersByDeadline.total
            snapshot.staleConnections += counters.pointee.staleConnections.total
            snapshot.pausedPublishers += counters.pointee.pausedPublishers.total
            for reason in PauseReasons.all.each {
                guard let known = PauseReason(reason) else { continue }
                let count = counters.pointee.paused[reason.index].total
                snapshot.pausedConnections[known, default: 0] += count
            }
            snapshot.droppedMessages += counters.pointee.droppedMessages.total
            for i in 0..<TurnHistogram.bucketCount {
                snapshot.turns.counts[i] += counters.pointee.turns[i].total
            }
            snapshot.stalls += counters.pointee.stalls.total
            snapshot.busyNanoseconds += counters.pointee.busyNanoseconds.total
            snapshot.longestTurnNanoseconds = max(
                snapshot.longestTurnNanoseconds, counters.pointee.longestTurnNanoseconds)
            let now = loop.events.clock.now()
            snapshot.longestTurnOf10Seconds = max(
                snapshot.longestTurnOf10Seconds,
                counters.pointee.recentTurns.longest(ofLast: 10_000_000_000, at: now))
            snapshot.longestTurnOfMinute = max(
                snapshot.longestTurnOfMinute,
                counters.pointee.recentTurns.longest(ofLast: 60_000_000_000, at: now))
        }
        snapshot.standstills = shared.standstills.soFar
        snapshot.isLameDuck = isLameDuck
        snapshot.memoryBytes = shared.budget.usedBytes
        snapshot.memoryBytesMax = shared.budget.bytesMax
        snapshot.allocations = shared.budget.allocations
        snapshot.lastAllocationAt = shared.budget.lastAllocationAt
        return snapshot
    }

    /// The counts of the subject trees, and of the caches in front of them. Of one account, the caches count
    /// nothing: they serve all of them.
    public func routingSnapshot(ofAccount name: String? = nil) -> RoutingSnapshot {
        var snapshot = RoutingSnapshot()
        var misses = 0
        for account in shared.accounts.accounts {
            if let name, account.pointee.name != name { continue }
            let space = account.space
            unsafe pthread_mutex_lock(space.pointee.lock)
            snapshot.subscriptions += space.pointee.contents.pointee.tree.subscriptionCount
            snapshot.inserts += space.pointee.contents.pointee.inserts
            snapshot.removes += space.pointee.contents.pointee.removes
            misses += space.pointee.contents.pointee.matches
            unsafe pthread_mutex_unlock(space.pointee.lock)
        }
        var fanoutTotal = 0
        for loop in name == nil ? shared.loops : [] {
            let counters = loop.counters
            snapshot.cacheHits += counters.pointee.cacheHits.total
            snapshot.cachedRoutes += counters.pointee.cachedRoutes.total
            fanoutTotal += counters.pointee.cachedDestinations.total
            snapshot.fanoutMax = max(snapshot.fanoutMax, counters.pointee.fanoutMax.total)
        }
        snapshot.matches = misses + snapshot.cacheHits
        snapshot.fanoutAverage = Double(fanoutTotal) / Double(max(1, snapshot.cachedRoutes))
        return snapshot
    }
}
