/// `martlet { slow_consumers { … } }`.
extension ConfigurationTable {
    static let slowConsumers = ConfigurationBlock<BrokerConfiguration>(
        "martlet.slow_consumers", "What happens to subscribers that do not keep up.",
        [
            Key(
                "default", sets: \.slowConsumers.defaultPolicy, takes: .choice,
                "The policy, chosen at SUB, where no rule gives one."),
            Key(
                "block_max", sets: \.slowConsumers.blockNanosecondsMax, takes: .positiveDuration,
                "How long publishers wait for a blocked subscriber before it is closed."),
            Key(
                "rules", takes: "a list of blocks", default: "none",
                reload: .takenUnseenAs("martlet.slow_consumers.rules"),
                "Policies for some subscriptions, chosen at SUB; the first that fits counts.",
                change: { old, new in
                    let (old, new) = (old.slowConsumers.rules, new.slowConsumers.rules)
                    return old == new ? nil : .init(old: "\(old.count)", new: "\(new.count)")
                },
                read: { (entry, root, reader) throws(ConfigurationComplaint) in
                    for value in try entry.value.array(entry.name) {
                        var rule = BrokerConfiguration.SlowConsumerRule(
                            subject: ">", policy: root.slowConsumers.defaultPolicy)
                        reader.read(try value.map(entry.name), slowConsumerRule, into: &rule)
                        root.slowConsumers.rules.append(rule)
                    }
                }),
        ])

    static let slowConsumerRule = ConfigurationBlock<BrokerConfiguration.SlowConsumerRule>(
        "martlet.slow_consumers.rules", "The policy for some subscriptions.",
        [
            Key(
                "account", sets: \.account, takes: .text, default: "every account",
                reload: .partOfOthers, "The account of the subscriptions."),
            Key(
                "subject", sets: \.subject, takes: .subject, reload: .partOfOthers,
                "Subscriptions whose subject this one covers, wildcards included."),
            Key(
                "policy", sets: \.policy, takes: .choice, default: "that of `default`",
                reload: .partOfOthers,
                "What happens when a subscriber to such a subject does not keep up."),
            Key(
                "max_pending", sets: \.pendingBytesMax, takes: .optionalBytes(1...Int64.max),
                default: "that of the top level", reload: .partOfOthers,
                "Unsent bytes of a connection with such a subscription."),
        ])
}

extension BrokerConfiguration.SlowConsumerRule: ConfigurationRoot {
    static let defaults = BrokerConfiguration.SlowConsumerRule(subject: ">", policy: .close)
}

extension ConfigurationForm<String> {
    /// Wildcards included: no empty token, no white space, `>` only as the last token.
    fileprivate static var subject: ConfigurationForm {
        ConfigurationForm("a subject", shown: { $0 }) {
            (entry, _) throws(ConfigurationComplaint) in
            let text = try entry.value.string(entry.name)
            let tokens = text.split(separator: ".", omittingEmptySubsequences: false)
            let isValid =
                !tokens.contains(where: \.isEmpty) && !tokens.dropLast().contains(">")
                && !text.contains(where: \.isWhitespace)
            guard isValid else {
                throw entry.value.complaint("\"\(text)\" is not a valid subject")
            }
            return text
        }
    }
}
