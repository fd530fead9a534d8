/// `authorization { … }` and `no_auth_user`.
extension ConfigurationTable {
    static let access: [Key<BrokerConfiguration>] = [
        Key(
            "no_auth_user", sets: \.authorization.noAuthUser, takes: .text, default: "none",
            "The user that connections without credentials get."),
        Key("authorization", takes: "a block", "Who may connect.") {
            (entry, root, reader) throws(ConfigurationComplaint) in
            var block = BrokerConfiguration.Authorization()
            block.noAuthUser = root.authorization.noAuthUser
            root.authorization = block
            let map = try entry.value.map(entry.name)
            reader.read(map, authorization, into: &root)
            try root.authorization.check(definesUsers: map.has("users"), at: entry.value)
            reader.accounts.authorizationPlace = entry.value
        },
    ]

    static let authorization = ConfigurationBlock<BrokerConfiguration>(
        "authorization", "Who may connect: one user, one token, or several users.",
        [
            Key(
                "user", "username", sets: \.authorization.user, takes: .text, default: "none",
                reload: .takenUnseenAs("authorization username"), flags: ["user"],
                "The one user."),
            Key(
                "password", "pass", sets: \.authorization.password, takes: .secret, default: "none",
                reload: .takenUnseenAs("authorization password"), flags: ["pass"],
                "Its password, in clear or as a bcrypt hash."),
            Key(
                "token", sets: \.authorization.token, takes: .secret, default: "none",
                reload: .takenUnseenAs("authorization token"), flags: ["auth"],
                "The one token, in clear or as a bcrypt hash."),
            Key(
                "timeout", sets: \.authorization.timeoutNanoseconds, takes: .authenticationTimeout,
                reload: .takenAs("authorization timeout"),
                "How long a client may take to send its credentials."),
            Key(
                "users", takes: "a list of blocks", reload: .takenUnseenAs("authorization users"),
                "Several users; not beside `user` or `token`.",
                change: { old, new in
                    let (old, new) = (old.authorization.users, new.authorization.users)
                    return old == new ? nil : .init(old: "\(old.count)", new: "\(new.count)")
                },
                read: { (entry, root, reader) throws(ConfigurationComplaint) in
                    root.authorization.users = try reader.users(entry.value)
                }),
            .unsupported("permissions", summary: "Which subjects a user may use."),
            .unsupported(
                "default_permissions", "default_permission",
                summary: "Permissions of users without any."),
            .unsupported("auth_callout", "auth_hook", summary: "Authentication by a service."),
            .fixed("proxy_required", at: false, "Whether clients have to come by a proxy."),
        ])
}

extension BrokerConfiguration.Authorization {
    fileprivate func check(
        definesUsers: Bool, at value: ConfigurationValue
    ) throws(ConfigurationComplaint) {
        if token != nil, user != nil || password != nil {
            throw value.complaint("Cannot have a user/pass and token")
        }
        if definesUsers { try expectUsers(at: value) }
        try Self.expectNoDuplicates(users, at: value)
    }

    /// Users are all there is beside each other.
    func expectUsers(at value: ConfigurationValue) throws(ConfigurationComplaint) {
        if user != nil {
            throw value.complaint("Can not have a single user/pass and a users array")
        }
        if token != nil { throw value.complaint("Can not have a token and a users array") }
    }

    static func expectNoDuplicates(
        _ users: [BrokerConfiguration.User], at value: ConfigurationValue
    ) throws(ConfigurationComplaint) {
        var names: Set<String> = []
        for user in users where !names.insert(user.name).inserted {
            throw value.complaint("Duplicate user \"\(user.name)\" detected")
        }
    }
}
