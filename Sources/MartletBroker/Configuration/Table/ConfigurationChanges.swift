extension BrokerConfiguration {
    /// What a reload from this configuration to `new` changes, in the order of docs/CONFIGURATION.md and
    /// in nats-server's words: `max_payload = 2097152`, `authorization users`.
    ///
    /// Throws `BrokerError.Code.configuration` for what needs a restart.
    func changes(to new: BrokerConfiguration) throws(BrokerError) -> [String] {
        try expectSame("DontListen", dontListen, new.dontListen)
        try expectSame("HandlerThreadCount", handlerThreadCount ?? 0, new.handlerThreadCount ?? 0)
        var changes: [String] = []
        for block in ConfigurationTable.ofConfiguration {
            for key in block.keys {
                guard let change = key.change(self, new) else { continue }
                switch key.facts.reload {
                case .taken: changes.append("\(block.name(of: key.facts)) = \(change.new)")
                case .takenAs(let name): changes.append("\(name) = \(change.new)")
                case .takenUnseenAs(let name): changes.append(name)
                case .refusedAs(let name): try expectSame(name, change.old, change.new)
                case .partOfOthers, .unsupported: break
                }
            }
        }
        return changes
    }

    private func expectSame<Value: Equatable>(
        _ name: String, _ old: Value, _ new: Value
    ) throws(BrokerError) {
        guard old != new else { return }
        throw BrokerError(
            .configuration, "config reload not supported for \(name): old=\(old), new=\(new)")
    }
}
