extension Broker {
    /// Takes over what may change while running: limits, users, accounts, logs, rules; all of it or, when
    /// this throws, nothing.
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
        shared.replace(configuration, isRunning: isRunning)
        return changes
    }
}
