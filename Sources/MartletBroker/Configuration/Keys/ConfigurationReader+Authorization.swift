/// `authorization { … }` and `no_auth_user`.
extension ConfigurationReader {
    mutating func readAuthorization(
        _ key: String, _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> Bool {
        switch key {
        case "no_auth_user":
            configuration.authorization.noAuthUser = try value.optionalString(key)
        case "authorization":
            var block = BrokerConfiguration.Authorization()
            block.noAuthUser = configuration.authorization.noAuthUser
            var definesUsers = false
            for entry in try value.map(key).entries {
                read(entry) { (reader, key, entry) throws(ConfigurationComplaint) in
                    if key == "users" { definesUsers = true }
                    return try reader.readAuthorizationEntry(key, entry, into: &block)
                }
            }
            try check(block, definesUsers: definesUsers, at: value)
            configuration.authorization = block
            authorizationPlace = value
        default:
            return false
        }
        return true
    }

    private mutating func readAuthorizationEntry(
        _ key: String, _ entry: ConfigurationMap.Entry,
        into block: inout BrokerConfiguration.Authorization
    ) throws(ConfigurationComplaint) -> Bool {
        let value = entry.value
        switch key {
        case "user", "username": block.user = try value.optionalString(key)
        case "pass", "password": block.password = try value.optionalString(key)
        case "token": block.token = try value.optionalString(key)
        case "timeout": try readTimeout(entry)
        case "users": block.users = try users(value)
        case "permissions", "default_permission", "default_permissions", "auth_callout",
            "auth_hook":
            throw value.unsupported(entry.key)
        case "proxy_required": try value.refuse(entry.key, unless: false)
        default: return false
        }
        return true
    }

    private func check(
        _ block: BrokerConfiguration.Authorization, definesUsers: Bool,
        at value: ConfigurationValue
    ) throws(ConfigurationComplaint) {
        if block.token != nil, block.user != nil || block.password != nil {
            throw value.complaint("Cannot have a user/pass and token")
        }
        if definesUsers { try expectUsers(block, at: value) }
        try Self.expectNoDuplicates(block.users, at: value)
    }

    /// Users are all there is beside each other.
    func expectUsers(
        _ block: BrokerConfiguration.Authorization, at value: ConfigurationValue
    ) throws(ConfigurationComplaint) {
        if block.user != nil {
            throw value.complaint("Can not have a single user/pass and a users array")
        }
        if block.token != nil {
            throw value.complaint("Can not have a token and a users array")
        }
    }

    static func expectNoDuplicates(
        _ users: [BrokerConfiguration.User], at value: ConfigurationValue
    ) throws(ConfigurationComplaint) {
        var names: Set<String> = []
        for user in users where !names.insert(user.name).inserted {
            throw value.complaint("Duplicate user \"\(user.name)\" detected")
        }
    }

    // MARK: Users

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
            users.append(try user(map, at: value))
        }
        return users
    }

    private mutating func user(
        _ map: ConfigurationMap, at value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> BrokerConfiguration.User {
        var user = BrokerConfiguration.User(name: "", password: "")
        var isNKeyUser = false
        for entry in map.entries {
            read(entry) { (_, key, entry) throws(ConfigurationComplaint) in
                switch key {
                case "user", "username": user.name = try entry.value.string(key)
                case "pass", "password": user.password = try entry.value.string(key)
                case "nkey":
                    isNKeyUser = true
                    throw entry.value.unsupported(entry.key)
                case "permission", "permissions", "authorization", "allowed_connection_types",
                    "connection_types", "clients":
                    throw entry.value.unsupported(entry.key)
                case "proxy_required": try entry.value.refuse(entry.key, unless: false)
                default: return false
                }
                return true
            }
        }
        if user.name.isEmpty, !isNKeyUser { throw value.complaint("User entry requires a user") }
        return user
    }

    // MARK: Timeout

    /// Seconds as a number, or a duration.
    private mutating func readTimeout(
        _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) {
        let value = entry.value
        let seconds: Double
        let text: String
        switch value.content {
        case .integer(let number): (seconds, text) = (Double(number), "\(number)")
        case .float(let number): (seconds, text) = (number, ConfigurationDigest.text(of: number))
        case .string(let duration):
            do throws(ConfigurationDuration.Failure) {
                seconds = Double(try ConfigurationDuration.parse(duration)) / 1e9
                text = duration
            } catch {
                throw value.complaint(
                    "error parsing authorization config, 'timeout' \(error.reason)")
            }
        default:
            throw value.complaint("error parsing authorization config, 'timeout' wrong type")
        }
        guard seconds >= 0 else {
            throw value.complaint("invalid timeout, needs to be positive")
        }
        guard seconds < 1e9 else { throw value.complaint("timeout value is too big") }
        if seconds > 60 { warn(entry, Self.highTimeout(text, seconds)) }
        configuration.authenticationTimeoutNanoseconds =
            seconds == 0
            ? BrokerConfiguration().authenticationTimeoutNanoseconds
            : UInt64((seconds * 1e9).rounded())
    }

    private static func highTimeout(_ text: String, _ seconds: Double) -> String {
        let millionths = UInt64((seconds * 1e6).rounded())
        let decimals = "\(1_000_000 + millionths % 1_000_000)".dropFirst()
        return "timeout of \(text) (\(millionths / 1_000_000).\(decimals) seconds) is high, "
            + "consider keeping it under 60 seconds. possibly caused by unquoted duration; "
            + "use '1m' instead of 1m, for example"
    }
}
