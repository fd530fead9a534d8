/// How a connection becomes somebody's: from its accept to the CONNECT that is taken, and by every CONNECT
/// after. What happens goes in, and what is to be done comes out; it knows no sockets, accounts or clocks.
///
///     accepted ─greet─► awaiting CONNECT ─connect─► authenticating ─decide─► ready ─connect─► …
///
/// Any state may end in a `Refusal`; after that every call returns nothing.
struct Opening: ~Copyable {
    /// Why a connection is not taken.
    enum Refusal: Equatable {
        case connectionsMax
        case lameDuck
        case malformedConnect
        case credentials
        case authenticationTimeout
        case protocolLevel
        case noRespondersWithoutHeaders
    }

    /// What is asked of a connection that says CONNECT.
    enum Identification {
        /// It was somebody's from the start.
        case known
        /// No credentials are asked for.
        case notAsked
        case credentials
    }

    /// What an operation before authentication leads to.
    enum OperationAction: Equatable {
        case ignore
        case carryOut
        /// It is the default user's if there is one, which `identifyAsDefault` is told.
        case findDefaultUser
    }

    enum ConnectAction: Equatable {
        case ignore
        case refuse(Refusal)
        /// Its options hold from now on; another CONNECT before it ends with all its subscriptions.
        case adopt(isFirst: Bool, then: Next)

        enum Next: Equatable {
            case refuse(Refusal)
            /// `decide` is told what came of it.
            case authenticate
            case enterDefaultAccount(Ending)
            case stay(Ending)
        }
    }

    enum DecisionAction: Equatable {
        case ignore
        case refuse(Refusal)
        case enterAccount(Ending)
        /// It was there already, and goes on.
        case stay
    }

    /// What a change of who may connect means for a connection.
    enum ReviewAction: Equatable {
        case ignore
        /// It has done nothing yet: CONNECT decides, as for one that comes now.
        case awaitConnect(mustAuthenticate: Bool)
        /// `decide` is told what came of it.
        case authenticate
    }

    /// What comes of a CONNECT from whoever may connect.
    enum Ending: Equatable {
        case acknowledge
        case refuse(Refusal)
    }

    private enum State {
        case accepted
        case awaitingConnect(mustAuthenticate: Bool)
        case authenticating(Ending)
        case ready
        case closing
    }

    private var state = State.accepted
    /// INFO once more, behind the first PONG after CONNECT.
    private var owesConnectInfo = true

    /// Whether nothing but CONNECT may be carried out.
    var mustAuthenticate: Bool {
        switch state {
        case .awaitingConnect(let mustAuthenticate): mustAuthenticate
        case .authenticating: true
        case .accepted, .ready, .closing: false
        }
    }

    /// Whether a CONNECT that comes now ends all its subscriptions.
    var hasConnected: Bool {
        if case .ready = state { true } else { false }
    }

    /// Its first INFO is sent.
    mutating func greet(mustAuthenticate: Bool) {
        guard case .accepted = state else { return }
        state = .awaitingConnect(mustAuthenticate: mustAuthenticate)
    }

    /// It is one of the connections that are counted, of which there may be too many.
    mutating func admit(isFull: Bool, isLameDuck: Bool) -> Refusal? {
        guard case .awaitingConnect = state, isFull || isLameDuck else { return nil }
        return end(isFull ? .connectionsMax : .lameDuck)
    }

    /// An operation has come while `mustAuthenticate`.
    mutating func receive(isConnect: Bool) -> OperationAction {
        guard case .awaitingConnect(let mustAuthenticate) = state else { return .ignore }
        return isConnect || !mustAuthenticate ? .carryOut : .findDefaultUser
    }

    /// What `findDefaultUser` came to. It counts as a CONNECT.
    mutating func identifyAsDefault(exists: Bool) -> Refusal? {
        guard case .awaitingConnect = state else { return nil }
        guard exists else { return end(.credentials) }
        state = .ready
        return nil
    }

    /// A CONNECT has come; nil when it makes no sense.
    mutating func connect(
        _ options: ConnectOptions?, supportsHeaders: Bool, _ identification: Identification
    ) -> ConnectAction {
        let isFirst: Bool
        switch state {
        case .accepted, .authenticating, .closing: return .ignore
        case .awaitingConnect: isFirst = true
        case .ready: isFirst = false
        }
        guard let options else { return .refuse(end(.malformedConnect)) }
        guard !options.namesAccount else {
            return .adopt(isFirst: isFirst, then: .refuse(end(.credentials)))
        }
        let ending = Self.ending(options, supportsHeaders: supportsHeaders)
        switch identification {
        case .credentials:
            state = .authenticating(ending)
            return .adopt(isFirst: isFirst, then: .authenticate)
        case .notAsked:
            return .adopt(isFirst: isFirst, then: .enterDefaultAccount(finish(ending)))
        case .known:
            return .adopt(isFirst: isFirst, then: .stay(finish(ending)))
        }
    }

    /// The credentials of the CONNECT before have been checked, the first time or once more.
    mutating func decide(isAllowed: Bool) -> DecisionAction {
        switch state {
        case .authenticating(let ending):
            return isAllowed ? .enterAccount(finish(ending)) : .refuse(end(.credentials))
        case .awaitingConnect(mustAuthenticate: false), .ready:
            guard isAllowed else { return .refuse(end(.credentials)) }
            state = .ready
            return .stay
        case .accepted, .awaitingConnect(mustAuthenticate: true), .closing: return .ignore
        }
    }

    /// Who may connect has changed.
    mutating func review(mustAuthenticate: Bool, hasActed: Bool) -> ReviewAction {
        switch state {
        case .accepted, .authenticating, .closing: return .ignore
        case .ready: return .authenticate
        case .awaitingConnect(let hadToAuthenticate):
            guard hadToAuthenticate != mustAuthenticate else { return .ignore }
            if hasActed, mustAuthenticate { return .authenticate }
            state = .awaitingConnect(mustAuthenticate: mustAuthenticate)
            return .awaitConnect(mustAuthenticate: mustAuthenticate)
        }
    }

    /// It has got a PONG; whether INFO comes behind it, for those who take one then.
    mutating func sendsInfoAfterPong() -> Bool {
        guard case .ready = state, owesConnectInfo else { return false }
        owesConnectInfo = false
        return true
    }

    /// The time to authenticate is over.
    mutating func authenticationTimesOut() -> Refusal? {
        guard case .awaitingConnect(mustAuthenticate: true) = state else { return nil }
        return end(.authenticationTimeout)
    }

    /// It is being closed, for whatever reason.
    mutating func close() { state = .closing }

    private mutating func end(_ refusal: Refusal) -> Refusal {
        state = .closing
        return refusal
    }

    private mutating func finish(_ ending: Ending) -> Ending {
        state = ending == .acknowledge ? .ready : .closing
        return ending
    }

    private static func ending(_ options: ConnectOptions, supportsHeaders: Bool) -> Ending {
        if let level = options.protocolLevel, !(0...1).contains(level) {
            return .refuse(.protocolLevel)
        }
        let hasHeaders = options.headers && supportsHeaders
        return options.noResponders && !hasHeaders
            ? .refuse(.noRespondersWithoutHeaders) : .acknowledge
    }
}
