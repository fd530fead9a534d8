import MartletBroker

/// A way for bytes between raw clients and a broker under test. What clients may build on holds over
/// each of them; a new transport gets a wire of its own in a file beside these.
public struct Wire: Sendable, CustomStringConvertible {
    public let description: String
    /// What the broker needs in its configuration to be reached this way.
    let configure: @Sendable (inout BrokerConfiguration) -> Void
    /// Opens a connection; the second argument is about how many bytes wait in it for a client that does
    /// not read, nil for as many as by default.
    let connect: @Sendable (Broker, Int?) throws -> any WireEnd

    public static let all = [tcp, inProcess]
}

/// The client's end of a connection. One thread at a time sends, one receives.
public protocol WireEnd: AnyObject, Sendable {
    /// Sends what there is room for now; how many bytes. Throws when the broker takes no more.
    func send(_ bytes: ArraySlice<UInt8>) throws(ClientFailure) -> Int

    /// Appends what has come, up to so many bytes.
    func receive(_ countMax: Int, into bytes: inout [UInt8]) -> WireInput

    /// Waits until it may be worth while to send or to receive again; false if it takes too long.
    func wait(for change: WireChange, seconds: Double) -> Bool

    /// Whether all that was sent is with the broker's side for good: the rest is lost with a reset.
    var hasSentAll: Bool { get }

    func close()

    /// Closes in the rudest way that the wire knows.
    func reset()
}

public enum WireInput: Sendable {
    case bytes
    case nothingYet
    /// The broker has closed, and all is read.
    case end
}

public enum WireChange: Sendable {
    case input
    case room
}
