import Glibc

/// What holds for every socket that a listener accepts, whichever loop gets it.
struct ListenerProfile: Sendable {
    /// What those are who connect there.
    let kind: PeerKind
    /// What they speak below the protocol, over an accepted descriptor. A listener with certificates of
    /// its own captures them here.
    let transport: @Sendable (_ descriptor: Int32) -> Transport

    static let client = ListenerProfile(kind: .client) { .tcp(TCPTransport(accepted: $0)) }
}

/// A listening socket. The loop that listens on it closes it.
struct Listener: Sendable {
    let descriptor: Int32
    let profile: ListenerProfile
    /// The host as configured, and the port that it got.
    let address: HostAndPort
    /// Descriptors from this number on are not for who connects: see `DescriptorLimit`.
    var keptDescriptors = DescriptorLimit.firstKept

    /// A turn accepts for so long, so that a flood of connects does not delay messages: each takes 20 to
    /// 60 µs with its INFO.
    static let acceptNanosecondsMax: UInt64 = 100_000
    /// Accepted in one turn, where time stands still.
    static let acceptsPerTurn = 64
    /// The poller's token of the first listener; those of the others follow. No connection has a slot as
    /// high as these.
    static let firstToken = UInt64.max - 255
    static let countMax = 250

    func close() { Glibc.close(descriptor) }
}
