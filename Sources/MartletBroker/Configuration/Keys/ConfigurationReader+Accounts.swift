/// `accounts { … }` and `system_account`.
extension ConfigurationReader {
    mutating func readAccounts(
        _ key: String, _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> Bool {
        switch key {
        case "system_account", "system":
            configuration.systemAccount = try value.optionalString(key)
        case "no_system_account", "no_system", "no_sys_acc":
            // There is none unless one is defined, and that one counts.
            _ = try value.boolean(key)
        case "accounts":
            configuration.accounts = []
            (accountNames, accountUsers, accountUserNames) = ([], [], [])
            if case .array(let names) = value.content {
                // Names alone: nobody can be in these yet.
                for name in names { try addAccount(try name.string(key), at: name) }
            } else {
                try readAccountBlocks(value)
            }
        default:
            return false
        }
        return true
    }

    private mutating func readAccountBlocks(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) {
        guard case .map(let map) = value.content else {
            throw value.mismatch("accounts", takes: "a map or an array of names")
        }
        for entry in map.entries {
            do throws(ConfigurationComplaint) {
                try readAccount(entry)
            } catch {
                note(error)
            }
        }
    }

    private mutating func readAccount(
        _ entry: ConfigurationMap.Entry
    ) throws(ConfigurationComplaint) {
        // What a variable refers to is no account.
        if entry.isVariable { return }
        guard case .map(let map) = entry.value.content else {
            throw entry.value.complaint("Expected map entries for accounts")
        }
        try addAccount(entry.key, at: entry.value)
        for one in map.entries {
            read(one) { (reader, key, one) throws(ConfigurationComplaint) in
                switch key {
                case "users":
                    for var user in try reader.users(one.value) {
                        guard reader.accountUserNames.insert(user.name).inserted else {
                            throw one.value.complaint("Duplicate user \"\(user.name)\" detected")
                        }
                        user.account = entry.key
                        reader.accountUsers.append(user)
                    }
                case "nkey", "imports", "exports", "jetstream", "default_permissions", "limits",
                    "mappings", "maps", "msg_trace", "trace_dest", "cluster_traffic":
                    throw one.value.unsupported(one.key)
                default: return false
                }
                return true
            }
        }
    }

    private mutating func addAccount(
        _ name: String, at value: ConfigurationValue
    ) throws(ConfigurationComplaint) {
        guard name != BrokerConfiguration.globalAccountName else {
            throw value.complaint("\"\(name)\" is a Reserved Account")
        }
        guard accountNames.insert(name).inserted else {
            throw value.complaint("Duplicate Account Entry: \(name)")
        }
        guard configuration.accounts.count < Self.accountsMax else {
            throw value.complaint("there are more than \(Self.accountsMax) accounts")
        }
        configuration.accounts.append(name)
    }

    /// Each that somebody is in has a table of 16 KiB for what changes in it.
    private static let accountsMax = 10_000

    /// When all of the file is read: its blocks may come in any order.
    mutating func joinAccounts() {
        do throws(ConfigurationComplaint) {
            if let place = authorizationPlace, !accountUsers.isEmpty {
                try expectUsers(configuration.authorization, at: place)
                try Self.expectNoDuplicates(
                    configuration.authorization.users + accountUsers, at: place)
            }
        } catch {
            note(error)
        }
        configuration.authorization.users += accountUsers
        // As nats-server does, so that a system account can be added to a server without users.
        configuration.authorization.admitsWithoutCredentials =
            authorizationPlace == nil && configuration.authorization.noAuthUser == nil
            && configuration.accounts == [configuration.systemAccountName]
        for (entry, account) in ruleAccounts where !accountNames.contains(account) {
            warn(entry, "there is no account \"\(account)\", so the rule is for nobody")
        }
    }
}
