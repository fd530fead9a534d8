/// Why the monitoring port could not be opened, in nats-server's words.
public struct MonitorError: Error, Sendable, CustomStringConvertible {
    /// One line, without its end.
    public let description: String
}
