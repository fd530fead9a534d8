extension BrokerConfiguration {
    /// How a broker's clients move elsewhere before it stops.
    public struct LameDuck: Sendable {
        /// Over how long a lame duck broker closes its connections, the grace period included.
        public var durationNanoseconds: UInt64 = 120_000_000_000
        /// How long a lame duck broker waits before it closes the first one.
        public var gracePeriodNanoseconds: UInt64 = 10_000_000_000

        /// nats-server's defaults.
        public init() {}
    }
}
