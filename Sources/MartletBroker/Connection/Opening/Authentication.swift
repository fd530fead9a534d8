// Whether credentials are right: at once, or on another thread where that takes long.

extension BrokerLoop {
    /// What a connection's last CONNECT says against the configuration that holds now.
    func attempt(of connection: ConnectionRef, _ authenticator: Authenticator) -> LoginAttempt {
        let options = unsafe connection.pointee.details?.takeUnretainedValue().options
        return authenticator.attempt(options.map(Credentials.init) ?? Credentials())
    }

    /// bcrypt takes up to a tenth of a second and more, so it runs on another thread; the connection is not
    /// read until the answer is here.
    func authenticate(_ connection: ConnectionRef) {
        let authenticator = shared.authenticator
        let attempt = attempt(of: connection, authenticator)
        guard attempt.isSlow else {
            return conclude(connection, attempt, isRight: attempt.succeeds(), authenticator)
        }
        pause(connection, .authentication)
        let (handle, mail) = (connection.pointee.handle, mail)
        let details = unsafe connection.pointee.details?.takeUnretainedValue()
        do throws(SystemFailure) {
            try shared.credentialChecks.submit(
                attempt, by: connection.pointee.id, from: details?.ip ?? ""
            ) { mail.post(.credentialsAreChecked(handle, $0, isRight: $1)) }
        } catch {
            shared.events.record(.checkingFailed(error))
            turnAway(connection, .authenticationTimeout)
        }
    }

    /// The answer of another thread.
    func credentialsAreChecked(_ connection: ConnectionRef, _ made: LoginAttempt, isRight: Bool) {
        guard !connection.pointee.flags.contains(.isClosing) else { return }
        let authenticator = shared.authenticator
        guard attempt(of: connection, authenticator) == made else {
            // A reload has changed what is asked meanwhile.
            return authenticate(connection)
        }
        conclude(connection, made, isRight: isRight, authenticator)
    }

    private func conclude(
        _ connection: ConnectionRef, _ attempt: LoginAttempt, isRight: Bool,
        _ authenticator: Authenticator
    ) {
        switch connection.pointee.opening.decide(isAllowed: isRight) {
        case .ignore: break
        case .refuse(let refusal): turnAway(connection, refusal)
        case .enterAccount(let ending):
            guard mayMove(connection, by: attempt, authenticator) else {
                return close(connection, .clientClosed)
            }
            enter(connection, by: attempt, authenticator)
            finish(connection, ending)
        case .stay: stay(connection, by: attempt, authenticator)
        }
        mirrorOpening(connection)
        unpause(connection, .authentication)
    }

    /// Whether what a connection loses in another account can be removed at once. It has subscriptions if it
    /// made them without a CONNECT, and a reload has begun to ask for credentials since.
    private func mayMove(
        _ connection: ConnectionRef, by attempt: LoginAttempt, _ authenticator: Authenticator
    ) -> Bool {
        connection.pointee.subscriptions.count <= Self.departuresPerTurn
            || authenticator.identity(of: attempt).account == connection.pointee.account
    }

    // MARK: Reload

    /// Connections looked at before others get their turn; each takes a microsecond or two.
    private static let reviewsPerTurn = 64

    /// Users, passwords or tokens have changed: who has no right to be here any more is told so, and
    /// closed. From `start` on, some of the connections; the others in the turns after.
    func reviewAccess(from start: Int, then: @escaping @Sendable () -> Void) {
        let end = min(start + Self.reviewsPerTurn, state.pointee.connections.endIndex)
        let authenticator = shared.authenticator
        for i in start..<max(start, end) {
            let connection = state.pointee.connections[i]
            guard connection.pointee.flags.contains(.isTaken) else { continue }
            reviewAccess(of: connection, authenticator)
        }
        guard end < state.pointee.connections.endIndex else { return then() }
        if !mail.post(.reviewAccess(from: end, then: then)) { then() }
    }

    func reviewAccess(of connection: ConnectionRef, _ authenticator: Authenticator) {
        guard connection.pointee.policy.needsCredentials,
            connection.pointee.flags.isDisjoint(with: .isClosing),
            // What another thread checks is compared with what is asked then; who moves, when it has arrived.
            connection.pointee.pauseReasons.isDisjoint(with: [.authentication, .move])
        else { return }
        let settings = state.pointee.settings
        let hasActed =
            connection.pointee.subscriptions.count > 0 || connection.pointee.messagesIn > 0
        switch connection.pointee.opening.review(
            mustAuthenticate: settings.requiresAuthentication, hasActed: hasActed)
        {
        case .ignore: break
        case .awaitConnect(let mustAuthenticate):
            mirrorOpening(connection)
            setDeadline(
                .authentication,
                mustAuthenticate
                    ? now &+ settings.authenticationTimeoutNanoseconds : Deadlines.never,
                connection)
        case .authenticate:
            let attempt = attempt(of: connection, authenticator)
            let details = unsafe connection.pointee.details?.takeUnretainedValue()
            if attempt == details?.admission {
                stay(connection, by: attempt, authenticator)
            } else {
                authenticate(connection)
            }
        }
    }

    /// It still has the right to be here. Whose user is in another account now is closed without a word,
    /// as by nats-server: it connects again, and is in that one.
    private func stay(
        _ connection: ConnectionRef, by attempt: LoginAttempt, _ authenticator: Authenticator
    ) {
        guard authenticator.identity(of: attempt).account == connection.pointee.account else {
            return close(connection, .clientClosed)
        }
        enter(connection, by: attempt, authenticator)
    }
}
