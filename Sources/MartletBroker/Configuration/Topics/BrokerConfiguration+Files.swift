extension BrokerConfiguration {
    /// Files by which others find the process. The executable writes them.
    public struct Files: Sendable {
        /// A file that receives the process id.
        public var processID: String?
        /// A directory that receives `<executable>_<pid>.ports`.
        public var portsDirectory: String?

        /// None.
        public init() {}
    }
}
