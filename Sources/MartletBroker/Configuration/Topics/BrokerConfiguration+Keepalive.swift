extension BrokerConfiguration {
    /// When a silent client counts as gone.
    public struct Keepalive: Sendable {
        /// The pause between the PINGs that the broker sends to a silent client.
        public var pingIntervalNanoseconds: UInt64 = 120_000_000_000
        /// PINGs without an answer after which a connection is stale.
        public var pingsOutstandingMax = 2

        /// nats-server's defaults.
        public init() {}
    }
}
