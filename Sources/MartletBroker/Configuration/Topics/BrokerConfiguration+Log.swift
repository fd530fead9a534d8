extension BrokerConfiguration {
    /// What is logged, and where to. The executable reads this; the library takes a `Logger`, and of
    /// these only `trace` and `tracedMessageBytesMax`.
    public struct Log: Sendable {
        /// Lines for who looks for a fault.
        public var debug = false
        /// The protocol.
        public var trace = false
        /// Traces the system account too; with `trace`.
        public var traceVerbose = false
        /// Payload bytes shown of each message in a trace; 0 shows all.
        public var tracedMessageBytesMax = 0
        /// Starts each line with the time.
        public var showsTime = true
        /// Times in UTC rather than in the machine's time zone.
        public var usesUTC = false
        /// A file instead of stderr.
        public var file: String?
        /// Rotates the file at this many bytes; 0 never does.
        public var fileBytesMax = 0
        /// Rotated files kept; 0 keeps all.
        public var filesMax = 0
        /// Writes to the local syslog instead.
        public var syslog = false
        /// A syslog server, for example "udp://127.0.0.1:514".
        public var remoteSyslog: String?

        /// nats-server's defaults: information, warnings and errors to stderr.
        public init() {}
    }
}
