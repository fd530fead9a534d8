/// Who somebody says to be, without any secret, for logs.
enum ClaimedIdentity: Equatable, Sendable {
    case nobody
    case user(String)
    case token

    init(user: String, token: String) {
        self = !user.isEmpty ? .user(user) : token.isEmpty ? .nobody : .token
    }

    /// As lines about a connection begin: `user:ann`.
    var label: String {
        switch self {
        case .nobody: ""
        case .user(let name): "user:\(name)"
        case .token: "token"
        }
    }
}
