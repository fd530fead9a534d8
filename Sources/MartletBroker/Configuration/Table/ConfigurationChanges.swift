extension BrokerConfiguration {
    /// What a reload from this configuration to `new` changes, in the order of docs/CONFIGURATION.md and
    /// in nats-server's words: `max_payload = 2097152`, `authorization users`.
    ///
    /// Throws `BrokerError.Code.configuration` for what needs a restart: all of it, one line each.
    func changes(to new: BrokerConfiguration) throws(BrokerError) -> [String] {
        var changes: [String] = []
        var refusals = programOnlyChanges(to: new)
        for block in ConfigurationTable.ofConfiguration {
            for key in block.keys {
                guard let change = key.change(self, new) else { continue }
                switch key.facts.reload {
                case .taken: changes.append("\(block.name(of: key.facts)) = \(change.new)")
                case .takenAs(let name): changes.append("\(name) = \(change.new)")
                case .takenUnseenAs(let name): changes.append(name)
                case .refusedAs(let name):
                    refusals.append(Self.refusal(of: name, change.old, change.new))
                case .partOfOthers, .unsupported: break
                }
            }
        }
        guard refusals.isEmpty else {
            throw BrokerError(.configuration, refusals.joined(separator: "\n"))
        }
        return changes
    }

    /// No file has these.
    private func programOnlyChanges(to new: BrokerConfiguration) -> [String] {
        var refusals: [String] = []
        if dontListen != new.dontListen {
            refusals.append(Self.refusal(of: "DontListen", "\(dontListen)", "\(new.dontListen)"))
        }
        let (old, new) = (handlerThreadCount ?? 0, new.handlerThreadCount ?? 0)
        if old != new {
            refusals.append(Self.refusal(of: "HandlerThreadCount", "\(old)", "\(new)"))
        }
        return refusals
    }

    private static func refusal(of name: String, _ old: String, _ new: String) -> String {
        "config reload not supported for \(name): old=\(old), new=\(new)"
    }
}
