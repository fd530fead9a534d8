/// Decides who may connect, by nats-server's rules for users, passwords and tokens.
///
/// A check takes microseconds where the secret is in clear, but up to hundreds of milliseconds
/// where it is a bcrypt hash: `LoginAttempt.isSlow` says so, and those are made on another thread.
struct Authenticator: Sendable {
    enum Decision: Equatable, Sendable {
        /// The connection is this from now on.
        case allowed(Identity)
        case denied
    }

    private let authorization: BrokerConfiguration.Authorization
    private let users: [String: BrokerConfiguration.User]
    private let accounts: AccountDirectory
    /// Chooses whose secret stands for an unknown user's; nobody outside can foretell which.
    private let seed = UInt64.random(in: .min ... .max)

    init(_ authorization: BrokerConfiguration.Authorization, accounts: AccountDirectory) {
        self.authorization = authorization
        users = Dictionary(
            authorization.users.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        self.accounts = accounts
    }

    /// What a client says in CONNECT against the configuration, however long it takes.
    func check(_ credentials: Credentials) -> Decision {
        let attempt = attempt(credentials)
        return attempt.succeeds() ? .allowed(identity(of: attempt)) : .denied
    }

    /// What it takes to be let in with these credentials.
    func attempt(_ credentials: Credentials) -> LoginAttempt {
        let requirement = requirement(of: credentials)
        if case .token = requirement {
            return LoginAttempt(given: credentials.token, requirement: requirement)
        }
        return LoginAttempt(given: credentials.password, requirement: requirement)
    }

    /// Who somebody is whose attempt has succeeded.
    func identity(of attempt: LoginAttempt) -> Identity {
        let user: String? =
            switch attempt.requirement {
            case .nothing(let user): user
            case .password(let user, _): user
            case .token, .nobody: nil
            }
        let account = accounts.account(named: user.flatMap { users[$0]?.account })
        return Identity(user: user, account: account)
    }

    // MARK: Rules

    private func requirement(of credentials: Credentials) -> LoginAttempt.Requirement {
        guard authorization.isRequired else { return .nothing(user: nil) }
        if !users.isEmpty {
            // nats-server compares this user's password with itself, so one with a bcrypt hash can
            // never be it there; here it can.
            if credentials.isEmpty, let name = authorization.noAuthUser, users[name] != nil {
                return .nothing(user: name)
            }
            if credentials.isEmpty, authorization.admitsWithoutCredentials {
                return .nothing(user: nil)
            }
            guard let user = users[credentials.user] else { return nobody(credentials.user) }
            return .password(user: user.name, user.password)
        }
        if let expected = authorization.token, !expected.isEmpty { return .token(expected) }
        let password = authorization.password ?? ""
        guard let name = authorization.user, !name.isEmpty,
            PasswordCheck.areEqual(credentials.user, name)
        else { return .nobody(secret: password) }
        return .password(user: name, password)
    }

    /// An unknown user costs what one of the known ones does, the same one each time.
    private func nobody(_ name: String) -> LoginAttempt.Requirement {
        var hasher = Hasher()
        hasher.combine(seed)
        hasher.combine(name)
        let choice = UInt(bitPattern: hasher.finalize()) % UInt(authorization.users.count)
        return .nobody(secret: authorization.users[Int(choice)].password)
    }
}
