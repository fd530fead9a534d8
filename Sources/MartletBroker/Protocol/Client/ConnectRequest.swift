/// What a client says of itself in CONNECT.
package struct ConnectRequest {
    var name: String
    var credentials: InProcessCredentials?
    /// Whether it wants an answer to everything that it sends.
    var isVerbose = false
    /// Whether its own subscriptions get what it publishes.
    var echo = true
    /// As the server's INFO said. A server without headers cannot say that nobody responds, either.
    var hasHeaders: Bool

    package init(
        name: String, credentials: InProcessCredentials?, isVerbose: Bool = false,
        echo: Bool = true, hasHeaders: Bool
    ) {
        self.name = name
        self.credentials = credentials
        self.isVerbose = isVerbose
        self.echo = echo
        self.hasHeaders = hasHeaders
    }

    var json: String {
        var fields = [
            "\"verbose\":\(isVerbose)", "\"pedantic\":false", "\"lang\":\"martlet\"",
            "\"version\":\"\(Broker.version)\"", "\"protocol\":\(ServerInfo.protocolLevel)",
            "\"echo\":\(echo)", "\"headers\":\(hasHeaders)", "\"no_responders\":\(hasHeaders)",
            "\"name\":\(ServerInfo.quoted(name))",
        ]
        switch credentials {
        case .user(let user, let password):
            fields.append("\"user\":\(ServerInfo.quoted(user))")
            fields.append("\"pass\":\(ServerInfo.quoted(password))")
        case .token(let token): fields.append("\"auth_token\":\(ServerInfo.quoted(token))")
        case nil: break
        }
        return "{\(fields.joined(separator: ","))}"
    }
}
