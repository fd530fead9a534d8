/// One entry of `users = [ … ]`, of the authorization block or of an account.
extension ConfigurationTable {
    static let user = ConfigurationBlock<BrokerConfiguration.User>(
        "users", "A user, in `authorization` or in an account.",
        [
            Key(
                "user", "username", sets: \.name, takes: .anyText, default: "needed",
                reload: .partOfOthers, "The name; no two users have the same."),
            Key(
                "password", "pass", sets: \.password, takes: .userSecret, default: "empty",
                reload: .partOfOthers, "The password, in clear or as a bcrypt hash."),
            .unsupported("nkey", summary: "A user by a public key."),
            .unsupported(
                "permissions", "permission", "authorization",
                summary: "Which subjects the user may use."),
            .unsupported(
                "allowed_connection_types", "connection_types", "clients",
                summary: "By which transports the user may connect."),
            .fixed("proxy_required", at: false, "Whether the user has to come by a proxy."),
        ])
}

extension BrokerConfiguration.User: ConfigurationRoot {
    static let defaults = BrokerConfiguration.User(name: "", password: "")
}

extension ConfigurationReader {
    mutating func users(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> [BrokerConfiguration.User] {
        guard case .array(let values) = value.content else {
            throw value.complaint("Expected users field to be an array, got \(value.kind)")
        }
        var users: [BrokerConfiguration.User] = []
        for value in values {
            guard case .map(let map) = value.content else {
                throw value.complaint("Expected user entry to be a map/struct, got \(value.kind)")
            }
            var user = BrokerConfiguration.User.defaults
            read(map, ConfigurationTable.user, into: &user)
            // What is named by a key has been refused already.
            if user.name.isEmpty, !map.has("nkey") {
                throw value.complaint("User entry requires a user")
            }
            users.append(user)
        }
        return users
    }
}
