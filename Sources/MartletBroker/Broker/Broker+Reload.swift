extension Broker {
    /// Takes over what may change while running: limits, users, accounts, logs, rules; all of it or, when
    /// this throws, nothing. Who may not connect any more is told so and closed, and so is what there is
    /// over a lowered `max_connections`.
    ///
    /// Throws `BrokerError.Code.configuration` for what may not change and for what is wrong; both are
    /// told by the names of docs/CONFIGURATION.md.
    ///
    /// - Returns: what has changed, one text each in nats-server's words: `max_payload = 2097152`.
    @discardableResult
    public func reload(_ configuration: BrokerConfiguration) throws(BrokerError) -> [String] {
        let old = self.configuration
        try configuration.validate()
        let changes = try old.changes(to: configuration)
        if configuration.rules != old.rules { try replaceRules(configuration.rules) }
        shared.replace(configuration)
        DescriptorTable.makeRoom(forConnections: configuration.limits.connectionsMax)
        adoptSettings(of: configuration)
        guard isRunning else { return changes }
        if configuration.authorization != old.authorization {
            shared.loops.postAndWait { .reviewAccess(from: 0, then: $0) }
        }
        closeSurplus()
        return changes
    }

    /// Of a broker that runs, returns when every loop has them.
    private func adoptSettings(of configuration: BrokerConfiguration) {
        let settings = LoopSettings(configuration)
        if isRunning {
            shared.loops.postAndWait { .adoptSettings(settings, then: $0) }
        } else {
            for loop in shared.loops { loop.mail.post(.adoptSettings(settings) {}) }
        }
    }

    /// Closes what is over a lowered `max_connections`, of each loop in proportion to what it has.
    private func closeSurplus() {
        let surplus = shared.surplusCount
        guard surplus > 0 else { return }
        let total = max(1, shared.connectionCount)
        let counts = shared.loops.map { loop in
            let count = loop.counters.pointee.connections.total
            return min(count, (surplus * count + total - 1) / total)
        }
        shared.loops.postToEachAndWait { loop, then in
            .closeSurplus(counts[loop.index], then: then)
        }
        shared.events.record(.surplusClosed(count: surplus))
    }
}
