// Who the client is and what it can do.

import Logging

extension BrokerLoop {
    /// INFO: the first line a client gets; again after its first PONG, and when something changes.
    func sendInfo(_ connection: ConnectionRef, isConnectInfo: Bool) {
        var info = shared.serverInfo(isLameDuck: state.pointee.isLameDuck)
        // Who gets a user without credentials is not asked for them, in the first INFO.
        if !isConnectInfo, shared.configuration.authorization.noAuthUser != nil {
            info.requiresAuthentication = false
        }
        info.clientID = connection.pointee.id
        info.clientIP = unsafe connection.pointee.details?.takeUnretainedValue().ip ?? ""
        if isConnectInfo {
            info.isConnectInfo = true
            let account = unsafe connection.pointee.details?.takeUnretainedValue().account
            info.remoteAccount = account ?? ""
            info.isSystemAccount = account == shared.configuration.systemAccountName
        }
        send(connection, Array("INFO \(info.json) \r\n".utf8))
    }

    /// CONNECT, also a second one: absent fields keep the value they have.
    func connect(_ connection: ConnectionRef, _ argument: Bytes, _ count: Int) {
        let current =
            unsafe connection.pointee.details?.takeUnretainedValue().options ?? ConnectOptions()
        guard let options = unsafe ConnectOptions.parse(argument, count, over: current) else {
            shared.logger.error("\(name(of: connection)) - invalid CONNECT")
            return end(connection, .protocolViolation)
        }
        if connection.pointee.flags.contains(.receivedConnect) {
            unsubscribeAll(connection)
        } else {
            // From INFO to CONNECT: a first estimate, as nats-server makes it.
            connection.pointee.roundTripNanoseconds = max(1, now &- connection.pointee.acceptedAt)
        }
        connection.pointee.flags.insert(.receivedConnect)
        setDeadline(.authentication, Deadlines.never, connection)
        setFirstPing(connection)
        describe(connection, options)
        apply(options, to: connection)
        guard !options.namesAccount else { return refuseAuthentication(connection) }
        guard connection.pointee.policy.needsCredentials else {
            return finishConnect(connection, options.protocolLevel)
        }
        guard state.pointee.settings.requiresAuthentication else {
            // A reload may have done away with the users since it was one.
            enter(connection, as: nil, in: shared.accounts.global)
            return finishConnect(connection, options.protocolLevel)
        }
        authenticate(connection, options)
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

    /// bcrypt takes up to a tenth of a second and more, so it runs on a thread of its own; the
    /// connection is not read until the answer is here.
    private func authenticate(_ connection: ConnectionRef, _ options: ConnectOptions) {
        let authenticator = shared.authenticator
        let (user, password, token) = (options.user, options.password, options.token)
        guard authenticator.needsSlowHash(user: user, token: token) else {
            return finishAuthentication(
                connection, authenticator.check(user: user, password: password, token: token))
        }
        pause(connection, .authentication)
        let handle = connection.pointee.handle
        let mail = mail
        shared.authenticationWorker.submit {
            let decision = authenticator.check(user: user, password: password, token: token)
            mail.post(.authenticated(handle, decision))
        }
    }

    func finishAuthentication(_ connection: ConnectionRef, _ decision: Authenticator.Decision) {
        guard case .allowed(let user, let account) = decision else {
            return refuseAuthentication(connection)
        }
        connection.pointee.flags.remove(.awaitsAuthentication)
        enter(connection, as: user, in: shared.accounts.account(named: account))
        let details = unsafe connection.pointee.details?.takeUnretainedValue()
        finishConnect(connection, details?.options.protocolLevel)
    }

    /// The connection is a user's from now on. In another account it has nothing of what it had: a reload
    /// may ask for credentials that a connection with subscriptions has not given yet.
    func enter(_ connection: ConnectionRef, as user: String?, in account: Account) {
        if let space = connection.pointee.space, space.bits != account.space.bits {
            unsubscribeAll(connection)
            limitPending(connection)
        }
        connection.pointee.space = account.space
        connection.pointee.account = Int32(account.index)
        guard let details = unsafe connection.pointee.details?.takeUnretainedValue() else { return }
        details.user = user ?? ""
        details.account = account.name
    }

    /// What may wait for it, before its subscriptions have their say.
    func limitPending(_ connection: ConnectionRef) {
        connection.pointee.pendingBytesMax = min(
            state.pointee.settings.pendingBytesMax, connection.pointee.policy.pendingBytesCeiling)
    }

    func refuseAuthentication(_ connection: ConnectionRef) {
        shared.logger.error("\(name(of: connection)) - authentication error")
        end(connection, .authenticationViolation, saying: "Authorization Violation")
    }

    private func finishConnect(_ connection: ConnectionRef, _ protocolLevel: Int?) {
        if let level = protocolLevel {
            guard (0...1).contains(level) else {
                return end(connection, .badClientProtocolVersion, saying: "invalid client protocol")
            }
            if level == 1 { connection.pointee.flags.insert(.asyncInfo) }
        }
        if connection.pointee.flags.contains(.noResponders),
            !connection.pointee.flags.contains(.headers)
        {
            return end(
                connection, .noRespondersRequiresHeaders,
                saying: "no responders requires headers support")
        }
        acknowledge(connection)
    }

    /// +OK, which only verbose clients get.
    @inline(__always)
    func acknowledge(_ connection: ConnectionRef) {
        if connection.pointee.flags.contains(.verbose) { send(connection, Line.ok) }
    }
}
