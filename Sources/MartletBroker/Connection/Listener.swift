import Glibc

/// What holds for every socket that a listener accepts, whichever loop gets it. What makes listeners
/// differ stands here: TLS and WebSocket among it, when they are built.
struct ListenerProfile: Sendable {
    /// What those are who connect there.
    var kind: PeerKind
}

/// A listening socket. The loop that listens on it closes it.
struct Listener: Sendable {
    let descriptor: Int32
    let profile: ListenerProfile
    /// Host and port, for people.
    let address: String

    /// Accepted in one turn, so that a flood of connects does not delay messages.
    static let acceptsPerTurn = 64
    /// The poller's token of the first listener; those of the others follow. No connection has a slot as
    /// high as these.
    static let firstToken = UInt64.max - 255
    static let countMax = 250

    func close() { Glibc.close(descriptor) }
}
