/// What a client says about itself in CONNECT; an empty text counts as none.
struct Credentials: Hashable, Sendable {
    var user = ""
    var password = ""
    var token = ""

    var isEmpty: Bool { user.isEmpty && password.isEmpty && token.isEmpty }
}

extension Credentials {
    init(_ options: ConnectOptions) {
        self.init(
            user: options.user ?? "", password: options.password ?? "",
            token: options.token ?? "")
    }
}
