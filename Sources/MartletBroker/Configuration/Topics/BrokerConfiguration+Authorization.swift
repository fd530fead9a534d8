extension BrokerConfiguration {
    /// Who may connect. Nothing set: everyone.
    public struct Authorization: Sendable, Equatable {
        /// The one user, with `password`; not together with `users`.
        public var user: String?
        /// In clear or as a bcrypt hash (`$2a$`, `$2b$`, `$2y$`).
        public var password: String?
        /// The one token, in clear or as a bcrypt hash.
        public var token: String?
        /// Users, of accounts too.
        public var users: [User] = []
        /// The user that connections without credentials get.
        public var noAuthUser: String?
        /// Connections without credentials are let in, to `$G`: only the system account has users.
        public var admitsWithoutCredentials = false
        /// How long a client may take to authenticate, where that is required.
        public var timeoutNanoseconds: UInt64 = 2_000_000_000

        /// Everyone may connect.
        public init() {}

        /// Whether clients need credentials.
        public var isRequired: Bool { user != nil || token != nil || !users.isEmpty }
    }

    /// A user of `authorization { users = [ … ] }`, or of an account.
    public struct User: Sendable, Equatable {
        /// What the client calls itself; no two users have the same.
        public var name: String
        /// In clear or as a bcrypt hash.
        public var password: String
        /// One of `accounts`; nil is `$G`.
        public var account: String?

        /// A user of `$G`, unless an account is named.
        public init(name: String, password: String, account: String? = nil) {
            self.name = name
            self.password = password
            self.account = account
        }
    }
}
