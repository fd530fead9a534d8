/// Decides who may connect, by nats-server's rules for users, passwords and tokens.
///
/// A check takes microseconds where the secret is in clear, but up to hundreds of milliseconds
/// where it is a bcrypt hash: ask `needsSlowHash` first and do those on another thread.
struct Authenticator: Sendable {
    enum Decision: Equatable, Sendable {
        /// The connection is this from now on.
        case allowed(Identity)
        case denied
    }

    private let authorization: BrokerConfiguration.Authorization
    private let users: [String: BrokerConfiguration.User]
    private let accounts: AccountDirectory

    init(_ authorization: BrokerConfiguration.Authorization, accounts: AccountDirectory) {
        self.authorization = authorization
        users = Dictionary(
            authorization.users.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        self.accounts = accounts
    }

    /// What a client says in CONNECT against the configuration. An empty text counts as none.
    func check(user: String?, password: String?, token: String?) -> Decision {
        switch requirement(user: user, password: password, token: token) {
        case .nothing(let user):
            return allow(user)
        case .token(let expected):
            return PasswordCheck.matches(token ?? "", expected) ? allow(nil) : .denied
        case .password(let name, let expected):
            let isRight = PasswordCheck.matches(password ?? "", expected)
            return isRight ? allow(name) : .denied
        case .impossible:
            return .denied
        }
    }

    private func allow(_ user: String?) -> Decision {
        let account = accounts.account(named: user.flatMap { users[$0]?.account })
        return .allowed(Identity(user: user, account: account))
    }

    /// Whether `check` would compute a bcrypt hash for these credentials.
    func needsSlowHash(user: String?, token: String?) -> Bool {
        // The password decides only between a hash and the user for clients without credentials,
        // so any will do here.
        switch requirement(user: user, password: "x", token: token) {
        case .token(let expected), .password(_, let expected):
            PasswordCheck.isHash(expected)
        case .nothing, .impossible: false
        }
    }

    // MARK: Rules

    private enum Requirement {
        case nothing(user: String?)
        case token(String)
        case password(user: String, String)
        case impossible
    }

    private func requirement(user: String?, password: String?, token: String?) -> Requirement {
        guard authorization.isRequired else { return .nothing(user: nil) }
        let user = user ?? ""
        if !users.isEmpty {
            let hasNone = user.isEmpty && (password ?? "").isEmpty && (token ?? "").isEmpty
            // nats-server compares this user's password with itself, so one with a bcrypt hash can
            // never be it there; here it can.
            if hasNone, let name = authorization.noAuthUser, users[name] != nil {
                return .nothing(user: name)
            }
            if hasNone, authorization.admitsWithoutCredentials { return .nothing(user: nil) }
            return users[user].map { .password(user: user, $0.password) } ?? .impossible
        }
        if let expected = authorization.token, !expected.isEmpty { return .token(expected) }
        guard let name = authorization.user, !name.isEmpty,
            PasswordCheck.areEqual(user, name)
        else { return .impossible }
        return .password(user: name, authorization.password ?? "")
    }
}
