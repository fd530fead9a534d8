/// What holds for a peer of a kind, worked out once when its connection is made: the broker asks these
/// questions instead of looking at the kind.
struct PeerPolicy {
    /// It is one of the connections that are counted and limited, and that lame duck mode closes.
    let isCounted: Bool
    /// Monitoring shows it, while it is open and after.
    let isListed: Bool
    /// It says who it is, where the configuration asks for that.
    let needsCredentials: Bool
    /// It gets PINGs, and is closed when it does not answer.
    let isPinged: Bool
    /// Its subscriptions keep to `max_subscription_tokens`.
    let hasTokenLimit: Bool
    /// The operations it may send, of which PUB and HPUB are not asked for: every kind there is publishes.
    let verbs: Verbs
    /// What becomes of messages that it is too slow for; nil where the configuration decides by subject.
    let slowConsumerPolicy: BrokerConfiguration.SlowConsumerPolicy?
    /// It is closed when what waits for it does not leave in time, or is far over its limit.
    let isClosedWhenSlow: Bool
    /// It may go from one loop to another.
    let canMove: Bool
    /// May wait for it at most, if that is less than `max_pending`.
    let pendingBytesCeiling: Int

    init(_ kind: PeerKind) {
        switch kind {
        case .client:
            isCounted = true
            isListed = true
            needsCredentials = true
            isPinged = true
            hasTokenLimit = true
            verbs = [.saidByClients, .saidByServers]
            slowConsumerPolicy = nil
            isClosedWhenSlow = true
            pendingBytesCeiling = .max
            canMove = true
        case .handler, .system:
            isCounted = kind == .handler
            isListed = kind == .handler
            needsCredentials = kind == .handler
            hasTokenLimit = kind == .handler
            // A handler that takes long is not gone.
            isPinged = false
            verbs = .saidByClients
            // Its publishers wait; handlers of this process see to it themselves that nobody does for long.
            slowConsumerPolicy = .block
            isClosedWhenSlow = false
            pendingBytesCeiling = 4 << 20
            canMove = false
        }
    }

    /// A set of verbs.
    struct Verbs: OptionSet {
        let rawValue: UInt32

        init(rawValue: UInt32) { self.rawValue = rawValue }
        init(_ verb: Verb) {
            // A bit that is not there would make the empty set, which every other contains.
            assert(Int(verb.rawValue) < UInt32.bitWidth)
            rawValue = 1 << UInt32(verb.rawValue)
        }

        /// What the client protocol has for those who speak it.
        static let saidByClients: Verbs = [
            Verbs(.publish), Verbs(.publishWithHeader), Verbs(.subscribe), Verbs(.unsubscribe),
            Verbs(.ping), Verbs(.pong), Verbs(.connect),
        ]
        /// Lines that servers say to clients, and that a client may repeat.
        static let saidByServers: Verbs = [Verbs(.info), Verbs(.ignored), Verbs(.error)]
    }
}
