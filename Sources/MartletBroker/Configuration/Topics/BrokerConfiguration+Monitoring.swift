extension BrokerConfiguration {
    /// Where /varz and its like are served. The executable reads this; a program that embeds the broker
    /// makes a `Monitor` of MartletMonitor itself.
    public struct Monitoring: Sendable {
        /// The address to listen on; the clients' `host` when nil.
        public var host: String?
        /// The port; 0 serves nothing, -1 takes any free one.
        public var port = 0
        /// A prefix of every path, for example "/nats"; empty for none.
        public var basePath = ""

        /// Serves nothing.
        public init() {}
    }
}
