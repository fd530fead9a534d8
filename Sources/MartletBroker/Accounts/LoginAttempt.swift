/// What somebody says, and what the configuration asks of them. Whoever was let in by an attempt keeps the
/// right to be there for as long as their credentials lead to an equal one.
struct LoginAttempt: Hashable, Sendable {
    enum Requirement: Hashable, Sendable {
        case nothing(user: String?)
        case token(String)
        case password(user: String, String)
        /// There is no such user. The secret is somebody else's: it is compared too, and nothing comes of
        /// it, so that the time of an answer does not tell which users there are.
        case nobody(secret: String)
    }

    let given: String
    let requirement: Requirement

    /// Whether it succeeds whatever was given.
    var isWithoutSecret: Bool {
        if case .nothing = requirement { true } else { false }
    }

    /// Whether `succeeds` computes a bcrypt hash, which takes up to some hundred milliseconds.
    var isSlow: Bool {
        switch requirement {
        case .nothing: false
        case .token(let secret), .password(_, let secret), .nobody(let secret):
            PasswordCheck.isHash(secret)
        }
    }

    /// Whether what was said is what is asked.
    func succeeds() -> Bool {
        switch requirement {
        case .nothing: return true
        case .token(let secret), .password(_, let secret):
            return PasswordCheck.matches(given, secret)
        case .nobody(let secret):
            _ = PasswordCheck.matches(given, secret)
            return false
        }
    }
}
