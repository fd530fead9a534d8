import MartletRules

extension Broker {
    /// Compiles rules and puts them in the place of those that hold now; nil ends all rules. A message
    /// meets either the old ones or the new ones, never some of each; what is published after this has
    /// returned meets the new ones. Throws
    /// `BrokerError.Code.configuration` with everything that is wrong with them, and leaves the old ones.
    public func replaceRules(_ rules: RulesConfiguration?) throws(BrokerError) {
        var rules = rules
        rules?.setSupportsHeaders(!shared.configuration.disablesHeaders)
        try shared.rules.replace(rules, loops: shared.loops)
        shared.recordRules(rules)
    }

    /// What each rule has counted since it was read; nil without a `rules` block.
    public func rulesSnapshot() -> RulesSnapshot? { shared.rules.snapshot() }
}
