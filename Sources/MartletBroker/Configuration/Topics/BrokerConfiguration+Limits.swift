extension BrokerConfiguration {
    /// How much of everything: of connections, messages, memory.
    public struct Limits: Sendable {
        /// Connections at once; 0 refuses everyone.
        public var connectionsMax = 65_536
        /// Subscriptions of one connection; 0 is without limit.
        public var subscriptionsMax = 0
        /// Tokens of a subscription's subject; 0 is without limit.
        public var subscriptionTokensMax = 0
        /// Bytes of one message, header included.
        public var payloadBytesMax = 1_048_576
        /// Bytes of one control line, without its payload.
        public var controlLineBytesMax = 4_096
        /// Unsent bytes of one connection before it counts as a slow consumer.
        public var pendingBytesMax = 67_108_864
        /// How long the oldest unsent byte of a connection may wait before that connection is closed.
        public var writeDeadlineNanoseconds: UInt64 = 10_000_000_000
        /// Closed connections kept for /connz.
        public var closedConnectionsMax = 10_000
        /// Messages a second that one connection may publish; 0 is without limit.
        public var publishedMessagesPerSecondMax = 0
        /// Payload bytes a second that one connection may publish; 0 is without limit.
        public var publishedBytesPerSecondMax = 0
        /// Bytes that buffers, payloads, routes and subscriptions of the process may take; 0 derives it
        /// from the machine.
        public var memoryBytesMax = 0

        /// No control line may be longer, whatever is configured: loops reserve addresses for as much.
        static let controlLineBytesCeiling = 16 << 20

        /// With less in the budget hardly anything could be subscribed to.
        static let memoryBytesFloor = 8 << 20

        /// nats-server's limits.
        public init() {}
    }
}
