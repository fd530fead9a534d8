// What `Opening` says is done: lines, deadlines, accounts.

extension BrokerLoop {
    /// The first lines of a new connection, or its end when there may be no more.
    func greet(_ connection: ConnectionRef) {
        record(.connected, of: connection)
        let settings = state.pointee.settings
        let policy = connection.pointee.policy
        let mustAuthenticate = settings.requiresAuthentication && policy.needsCredentials
        connection.pointee.opening.greet(mustAuthenticate: mustAuthenticate)
        mirrorOpening(connection)
        if mustAuthenticate {
            setDeadline(
                .authentication, now &+ settings.authenticationTimeoutNanoseconds, connection)
        }
        setFirstPing(connection)
        sendInfo(connection, isConnectInfo: false)
        guard policy.isCounted else { return }
        let isAdmitted = shared.admit()
        if isAdmitted { connection.pointee.flags.insert(.isAdmitted) }
        if let refusal = connection.pointee.opening.admit(
            isFull: !isAdmitted, isLameDuck: state.pointee.isLameDuck)
        {
            turnAway(connection, refusal)
        }
    }

    /// What the message path asks of an opening stands in a flag; this is where it comes from.
    func mirrorOpening(_ connection: ConnectionRef) {
        if connection.pointee.opening.mustAuthenticate {
            connection.pointee.flags.insert(.awaitsAuthentication)
        } else {
            connection.pointee.flags.remove(.awaitsAuthentication)
        }
    }

    /// Before a client has authenticated, only CONNECT counts. With a `no_auth_user`, anything else
    /// makes the client that user.
    @inline(never)
    func mayProceed(_ connection: ConnectionRef, _ firstByte: UInt8) -> Bool {
        switch connection.pointee.opening.receive(isConnect: firstByte | 0x20 == UInt8(ascii: "c"))
        {
        case .ignore: return false
        case .carryOut: return true
        case .findDefaultUser: break
        }
        let authenticator = shared.authenticator
        let attempt = authenticator.attempt(Credentials())
        let exists = attempt.isWithoutSecret
        if let refusal = connection.pointee.opening.identifyAsDefault(exists: exists) {
            turnAway(connection, refusal)
            return false
        }
        enter(connection, by: attempt, authenticator)
        mirrorOpening(connection)
        setDeadline(.authentication, Deadlines.never, connection)
        return true
    }

    // MARK: CONNECT

    /// CONNECT, also a second one: absent fields keep the value they have.
    func connect(_ connection: ConnectionRef, _ argument: Bytes, _ count: Int) {
        connection.pointee.lastActivityAt = now
        // What it says is kept in objects, for which memory has to be there.
        guard SystemMemory.hasRoom(for: 4 * count) else {
            return refuseForLackOfMemory(connection)
        }
        let current =
            unsafe connection.pointee.details?.takeUnretainedValue().options ?? ConnectOptions()
        let options = unsafe ConnectOptions.parse(argument, count, over: current)
        let action = connection.pointee.opening.connect(
            options, supportsHeaders: state.pointee.settings.supportsHeaders,
            identification(of: connection))
        defer { mirrorOpening(connection) }
        switch action {
        case .ignore: return
        case .refuse(let refusal): turnAway(connection, refusal)
        case .adopt(let isFirst, let next):
            guard let options else { return }
            adopt(options, isFirst: isFirst, by: connection)
            switch next {
            case .refuse(let refusal): turnAway(connection, refusal)
            case .authenticate: authenticate(connection)
            case .stay(let ending): finish(connection, ending)
            case .enterDefaultAccount(let ending):
                // A reload may have done away with the users since it was one.
                enter(connection, as: Identity(account: shared.accounts.global))
                finish(connection, ending)
            }
        }
    }

    private func identification(of connection: ConnectionRef) -> Opening.Identification {
        guard connection.pointee.policy.needsCredentials else { return .known }
        return state.pointee.settings.requiresAuthentication ? .credentials : .notAsked
    }

    private func adopt(_ options: ConnectOptions, isFirst: Bool, by connection: ConnectionRef) {
        if isFirst {
            // From INFO to CONNECT: a first estimate, as nats-server makes it.
            connection.pointee.roundTripNanoseconds = max(1, now &- connection.pointee.acceptedAt)
        } else {
            unsubscribeAll(connection)
        }
        setDeadline(.authentication, Deadlines.never, connection)
        setFirstPing(connection)
        describe(connection, options)
        apply(options, to: connection)
    }

    private func describe(_ connection: ConnectionRef, _ options: ConnectOptions) {
        guard let details = unsafe connection.pointee.details?.takeUnretainedValue() else { return }
        if let name = options.name { details.name = name }
        if let language = options.language { details.language = language }
        if let version = options.version { details.version = version }
        details.options = options
    }

    private func apply(_ options: ConnectOptions, to connection: ConnectionRef) {
        let supportsHeaders = state.pointee.settings.supportsHeaders
        func set(_ flag: ConnectionFlags, _ value: Bool) {
            if value {
                connection.pointee.flags.insert(flag)
            } else {
                connection.pointee.flags.remove(flag)
            }
        }
        set(.verbose, options.verbose)
        set(.pedantic, options.pedantic)
        set(.echo, options.echo)
        set(.headers, options.headers && supportsHeaders)
        set(.noResponders, options.noResponders)
    }

    func finish(_ connection: ConnectionRef, _ ending: Opening.Ending) {
        let details = unsafe connection.pointee.details?.takeUnretainedValue()
        details?.isIdentified = true
        if details?.options.protocolLevel == 1 { connection.pointee.flags.insert(.asyncInfo) }
        switch ending {
        case .acknowledge: acknowledge(connection)
        case .refuse(let refusal): turnAway(connection, refusal)
        }
    }

    // MARK: Accounts

    /// The connection is who its attempt says, for as long as reloads leave it that right.
    func enter(
        _ connection: ConnectionRef, by attempt: LoginAttempt, _ authenticator: Authenticator
    ) {
        enter(connection, as: authenticator.identity(of: attempt))
        unsafe connection.pointee.details?.takeUnretainedValue().admission = attempt
    }

    /// The connection is somebody's from now on. In another account it has nothing of what it had: a reload
    /// may ask for credentials that a connection with subscriptions has not given yet.
    func enter(_ connection: ConnectionRef, as identity: Identity) {
        if connection.pointee.account != identity.account {
            unsubscribeAll(connection)
            limitPending(connection)
        }
        connection.pointee.account = identity.account
        unsafe connection.pointee.permissions?.release()
        unsafe connection.pointee.permissions = identity.permissions.map {
            unsafe .passRetained($0)
        }
        unsafe connection.pointee.details?.takeUnretainedValue().user = identity.user ?? ""
    }

    /// What may wait for it, before its subscriptions have their say.
    func limitPending(_ connection: ConnectionRef) {
        connection.pointee.pendingBytesMax = min(
            state.pointee.settings.pendingBytesMax, connection.pointee.policy.pendingBytesCeiling)
    }

    // MARK: Refusals

    /// A connection that is not taken is told why, where nats-server says it.
    func turnAway(_ connection: ConnectionRef, _ refusal: Opening.Refusal) {
        switch refusal {
        case .connectionsMax:
            record(.connectionsExceeded, of: connection)
            end(connection, .maxConnectionsExceeded, saying: "maximum connections exceeded")
        case .lameDuck: end(connection, .serverShutdown)
        case .malformedConnect:
            record(.connectInvalid, of: connection)
            end(connection, .protocolViolation)
        case .credentials:
            record(
                .authenticationFailed(as: describePeer(of: connection).claim), of: connection)
            end(connection, .authenticationViolation, saying: "Authorization Violation")
        case .authenticationTimeout:
            record(.authenticationTimedOut, of: connection)
            end(connection, .authenticationTimeout, saying: "Authentication Timeout")
        case .protocolLevel:
            record(.protocolLevelUnknown, of: connection)
            end(connection, .badClientProtocolVersion, saying: "invalid client protocol")
        case .noRespondersWithoutHeaders:
            record(.headersMissing, of: connection)
            end(
                connection, .noRespondersRequiresHeaders,
                saying: "no responders requires headers support")
        }
    }
}
