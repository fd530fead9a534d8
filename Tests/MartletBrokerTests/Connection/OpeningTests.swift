import MartletTestSupport
import Testing

@testable import MartletBroker

/// Something that happens to a connection, in whatever order.
private enum Event: CaseIterable {
    case greetKnown, greetStranger
    case admit, refuseForNumber, refuseForLameDuck
    case connectLine, otherLine
    case defaultUser, noDefaultUser
    case connectKnown, connectUnasked, connectWithCredentials
    case malformed, namingAccount, wrongLevel, withoutHeaders
    case allow, deny
    case reviewAsking, reviewOpen
    case pong, timeout, close
}

/// What an event led to, as far as the orders of events are judged.
private struct Effect: Equatable {
    var refusal: Opening.Refusal?
    var carriesOut = false
    var takesConnect = false
    var isFirstConnect = false
    var identifies = false
    var authenticates = false
    var sendsInfo = false
    var isSilent: Bool { self == Effect() }
}

private func options(_ change: (inout ConnectOptions) -> Void = { _ in }) -> ConnectOptions {
    var options = ConnectOptions()
    options.headers = true
    change(&options)
    return options
}

extension Opening {
    fileprivate mutating func take(_ event: Event) -> Effect {
        switch event {
        case .greetKnown: greet(mustAuthenticate: false)
        case .greetStranger: greet(mustAuthenticate: true)
        case .admit: return Effect(refusal: admit(isFull: false, isLameDuck: false))
        case .refuseForNumber: return Effect(refusal: admit(isFull: true, isLameDuck: true))
        case .refuseForLameDuck: return Effect(refusal: admit(isFull: false, isLameDuck: true))
        case .connectLine: return Effect(carriesOut: receive(isConnect: true) == .carryOut)
        case .otherLine: return Effect(carriesOut: receive(isConnect: false) == .carryOut)
        case .defaultUser: return Effect(refusal: identifyAsDefault(exists: true))
        case .noDefaultUser: return Effect(refusal: identifyAsDefault(exists: false))
        case .connectKnown: return take(options(), .known)
        case .connectUnasked: return take(options(), .notAsked)
        case .connectWithCredentials: return take(options(), .credentials)
        case .malformed: return take(nil, .credentials)
        case .namingAccount: return take(options { $0.namesAccount = true }, .notAsked)
        case .wrongLevel: return take(options { $0.protocolLevel = 2 }, .credentials)
        case .withoutHeaders:
            return take(
                options {
                    $0.noResponders = true
                    $0.headers = false
                }, .credentials)
        case .allow: return take(decide(isAllowed: true))
        case .deny: return take(decide(isAllowed: false))
        case .reviewAsking: _ = review(mustAuthenticate: true, hasActed: false)
        case .reviewOpen: _ = review(mustAuthenticate: false, hasActed: false)
        case .pong: return Effect(sendsInfo: sendsInfoAfterPong())
        case .timeout: return Effect(refusal: authenticationTimesOut())
        case .close: close()
        }
        return Effect()
    }

    private mutating func take(
        _ options: ConnectOptions?, _ identification: Identification
    ) -> Effect {
        switch connect(options, supportsHeaders: true, identification) {
        case .ignore: return Effect()
        case .refuse(let refusal): return Effect(refusal: refusal)
        case .adopt(let isFirst, let next):
            var effect = Effect(takesConnect: true, isFirstConnect: isFirst)
            switch next {
            case .refuse(let refusal): effect.refusal = refusal
            case .authenticate: effect.authenticates = true
            case .enterDefaultAccount(let ending), .stay(let ending):
                effect.identifies = true
                if case .refuse(let refusal) = ending { effect.refusal = refusal }
            }
            return effect
        }
    }

    private func take(_ action: DecisionAction) -> Effect {
        switch action {
        case .ignore: Effect()
        case .refuse(let refusal): Effect(refusal: refusal)
        case .enterAccount(.acknowledge), .stay: Effect(identifies: true)
        case .enterAccount(.refuse(let refusal)): Effect(refusal: refusal, identifies: true)
        }
    }
}

@Suite("How a connection becomes somebody's") struct OpeningTests {
    /// What the given events lead to, one after another.
    private func effects(_ events: [Event]) -> [Effect] {
        var opening = Opening()
        return events.map { opening.take($0) }
    }

    // MARK: Ways that end well

    @Test(
        "where nobody is asked, operations count before CONNECT, and INFO comes once behind a PONG")
    func unasked() {
        #expect(
            effects([.greetKnown, .admit, .otherLine, .pong, .connectUnasked, .pong, .pong]) == [
                Effect(), Effect(), Effect(carriesOut: true), Effect(),
                Effect(takesConnect: true, isFirstConnect: true, identifies: true),
                Effect(sendsInfo: true), Effect(),
            ])
    }

    @Test("with credentials, nothing but CONNECT counts until they are found right")
    func credentials() {
        // What is asked of a value that cannot be copied is asked before it is expected.
        var opening = Opening()
        opening.greet(mustAuthenticate: true)
        var isAsked = [opening.mustAuthenticate]
        let other = opening.receive(isConnect: false)
        let connect = opening.connect(options(), supportsHeaders: true, .credentials)
        isAsked.append(opening.mustAuthenticate)
        let meanwhile = opening.receive(isConnect: true)
        let decision = opening.decide(isAllowed: true)
        isAsked.append(opening.mustAuthenticate)
        #expect(other == .findDefaultUser)
        #expect(connect == .adopt(isFirst: true, then: .authenticate))
        #expect(meanwhile == .ignore)
        #expect(decision == .enterAccount(.acknowledge))
        #expect(isAsked == [true, true, false])
    }

    @Test("another CONNECT is asked for credentials again, and may fail")
    func secondConnect() {
        #expect(
            effects([.greetKnown, .connectUnasked, .connectWithCredentials, .deny, .pong]) == [
                Effect(), Effect(takesConnect: true, isFirstConnect: true, identifies: true),
                Effect(takesConnect: true, authenticates: true), Effect(refusal: .credentials),
                Effect(),
            ])
    }

    @Test("the default user counts as having sent CONNECT")
    func defaultUser() {
        #expect(
            effects([.greetStranger, .defaultUser, .pong, .connectUnasked]) == [
                Effect(), Effect(), Effect(sendsInfo: true),
                Effect(takesConnect: true, identifies: true),
            ])
    }

    @Test("wrong credentials weigh more than options that cannot be served")
    func refusalsInOrder() {
        for (event, refusal) in [
            (Event.wrongLevel, Opening.Refusal.protocolLevel),
            (.withoutHeaders, .noRespondersWithoutHeaders),
        ] {
            #expect(effects([.greetStranger, event, .deny]).last?.refusal == .credentials)
            #expect(
                effects([.greetStranger, event, .allow]).last
                    == Effect(refusal: refusal, identifies: true))
        }
    }

    @Test("a server without headers cannot say that nobody responds")
    func headersSwitchedOff() {
        var opening = Opening()
        opening.greet(mustAuthenticate: false)
        let action = opening.connect(
            options { $0.noResponders = true }, supportsHeaders: false, .notAsked)
        let refusal = Opening.Ending.refuse(.noRespondersWithoutHeaders)
        #expect(action == .adopt(isFirst: true, then: .enterDefaultAccount(refusal)))
    }

    @Test("a change of who may connect asks whoever is there, and those who have done something")
    func review() {
        var there = Opening()
        there.greet(mustAuthenticate: false)
        let waits = there.review(mustAuthenticate: true, hasActed: false)
        let again = there.review(mustAuthenticate: true, hasActed: false)
        let open = there.review(mustAuthenticate: false, hasActed: true)
        #expect(waits == .awaitConnect(mustAuthenticate: true) && again == .ignore)
        #expect(open == .awaitConnect(mustAuthenticate: false))

        var acting = Opening()
        acting.greet(mustAuthenticate: false)
        let asked = acting.review(mustAuthenticate: true, hasActed: true)
        let refused = acting.decide(isAllowed: false)
        #expect(asked == .authenticate && refused == .refuse(.credentials))
    }

    // MARK: Every order

    @Test("in every order of three events, greeted or not, the rules of an opening hold")
    func everyOrder() {
        var events: [Event] = []
        func extend(_ depth: Int) {
            if depth == 0 { return check(events) }
            for event in Event.allCases {
                events.append(event)
                extend(depth - 1)
                events.removeLast()
            }
        }
        for greeting in [Event.greetKnown, .greetStranger] {
            events = [greeting]
            extend(3)
        }
        events = []
        extend(3)
    }

    @Test("in long random orders the rules of an opening hold", arguments: testSeeds(20))
    func randomOrders(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            check((0..<30).map { _ in Event.allCases[random.below(Event.allCases.count)] })
        }
    }

    /// One way through: it is refused once and silent after that, takes one first CONNECT, sends INFO once
    /// after it was identified, and lets nobody through who has not authenticated.
    private func check(_ events: [Event]) {
        var opening = Opening()
        var (isOver, isIdentified, hasConnected, hasSentInfo) = (false, false, false, false)
        for event in events {
            let mustAuthenticate = opening.mustAuthenticate
            let effect = opening.take(event)
            var faults: [String] = []
            if isOver, !effect.isSilent || opening.mustAuthenticate {
                faults.append("after the end")
            }
            if effect.carriesOut, event == .otherLine, mustAuthenticate {
                faults.append("let through")
            }
            if effect.isFirstConnect, hasConnected { faults.append("two first CONNECTs") }
            if effect.sendsInfo, hasSentInfo || !isIdentified { faults.append("INFO") }
            if effect.authenticates, !opening.mustAuthenticate {
                faults.append("not authenticating")
            }
            if effect.identifies, effect.refusal == nil, opening.mustAuthenticate {
                faults.append("identified and asked")
            }
            if mustAuthenticate, !opening.mustAuthenticate, effect.refusal == nil,
                !effect.identifies,
                event != .defaultUser, event != .close, event != .reviewOpen
            {
                faults.append("authenticated by \(event)")
            }
            if !faults.isEmpty { Issue.record("\(faults) at \(event) of \(events)") }
            isOver = isOver || effect.refusal != nil || event == .close
            hasConnected = hasConnected || effect.takesConnect
            hasSentInfo = hasSentInfo || effect.sendsInfo
            isIdentified = isIdentified || effect.identifies || event == .defaultUser
        }
    }
}
