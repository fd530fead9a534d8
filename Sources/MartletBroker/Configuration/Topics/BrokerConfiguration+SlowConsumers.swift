extension BrokerConfiguration {
    /// What happens to a subscriber that does not keep up.
    public enum SlowConsumerPolicy: String, Sendable, CaseIterable {
        /// Closes the connection, as nats-server does.
        case close
        /// Drops messages that come while the connection is over its limit.
        case dropNew = "drop_new"
        /// Drops the oldest messages of which no byte was sent.
        case dropOld = "drop_old"
        /// Stops reading from those who publish to it, for at most `blockNanosecondsMax`.
        case block
    }

    /// `martlet { slow_consumers { … } }`.
    public struct SlowConsumers: Sendable {
        /// For subscriptions that no rule is for.
        public var defaultPolicy = SlowConsumerPolicy.close
        /// The first rule whose account and subject match a subscription decides for it.
        public var rules: [SlowConsumerRule] = []
        /// How long a publisher waits for a blocked subscriber before that subscriber is closed.
        public var blockNanosecondsMax: UInt64 = 1_000_000_000

        /// Closes slow consumers, as nats-server does.
        public init() {}
    }

    /// The policy for some subscriptions.
    public struct SlowConsumerRule: Sendable, Equatable {
        /// An account's name; every account when nil.
        public var account: String?
        /// A subject with wildcards: subscriptions whose subject it covers.
        public var subject: String
        /// What happens to those who hold such a subscription and do not keep up.
        public var policy: SlowConsumerPolicy
        /// Overrides `max_pending` for connections with such a subscription.
        public var pendingBytesMax: Int?

        /// A rule for every account, unless one is named.
        public init(
            account: String? = nil, subject: String, policy: SlowConsumerPolicy,
            pendingBytesMax: Int? = nil
        ) {
            self.account = account
            self.subject = subject
            self.policy = policy
            self.pendingBytesMax = pendingBytesMax
        }
    }
}
