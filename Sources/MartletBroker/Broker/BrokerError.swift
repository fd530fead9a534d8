/// What went wrong, for whoever embeds or starts a broker.
///
/// A struct with a code, so that new codes break nobody's `switch`.
public struct BrokerError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is; compare, do not switch.
    public struct Code: Hashable, Sendable {
        let name: String

        /// The configuration is not valid; the message names file, line and column.
        public static let configuration = Code(name: "configuration")
        /// The address could not be listened on.
        public static let listen = Code(name: "listen")
        /// The operating system refused something the broker needs.
        public static let system = Code(name: "system")
        /// The broker is not running, or stopped while the call was under way.
        public static let notRunning = Code(name: "not running")
        /// A subject that nobody may publish or subscribe to.
        public static let subject = Code(name: "subject")
        /// A payload over `payloadBytesMax`.
        public static let payloadTooLarge = Code(name: "payload too large")
        /// A request that no subscription answers.
        public static let noResponders = Code(name: "no responders")
        /// A header name or value that cannot be sent.
        public static let header = Code(name: "header")
        /// The broker does not let this client in.
        public static let authorization = Code(name: "authorization")
        /// The broker does not let this client publish or subscribe there.
        public static let permission = Code(name: "permission")
        /// The broker has been started before.
        public static let alreadyStarted = Code(name: "already started")
        /// The task that waited was cancelled.
        public static let cancelled = Code(name: "cancelled")
        /// No answer in time.
        public static let timeout = Code(name: "timeout")
        /// The broker closed the connection.
        public static let connectionClosed = Code(name: "connection closed")
    }

    /// What kind of failure it is.
    public let code: Code
    /// What went wrong, for people.
    public let message: String

    /// A failure with its text.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
