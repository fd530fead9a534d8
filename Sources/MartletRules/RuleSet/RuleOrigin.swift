/// Where a message comes from, for dead letters, and chance for destinations with weights.
public struct RuleOrigin: Sendable {
    /// The number of the connection that sent it.
    public var clientID: UInt64
    /// When it came.
    public var unixNanoseconds: Int64
    /// Any number; each message has another.
    public var random: UInt64

    /// From whom a message came, and when, with a number that is another for each message.
    public init(clientID: UInt64, unixNanoseconds: Int64, random: UInt64) {
        self.clientID = clientID
        self.unixNanoseconds = unixNanoseconds
        self.random = random
    }
}
