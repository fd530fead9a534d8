/// `accounts { … }` and `system_account`.
extension ConfigurationTable {
    static let accountNames: [Key<BrokerConfiguration>] = [
        Key(
            "system_account", "system", takes: "the name of an account",
            default: "`$SYS`, if it is one of the accounts", reload: .refusedAs("SystemAccount"),
            "The account whose users may ask the server about itself.",
            change: { old, new in
                let (old, new) = (old.systemAccountName ?? "", new.systemAccountName ?? "")
                return old == new ? nil : .init(old: old, new: new)
            },
            read: { (entry, root, _) throws(ConfigurationComplaint) in
                root.systemAccount = try entry.value.optionalString(entry.name)
            }),
        Key(
            "no_system_account", "no_system", "no_sys_acc", sets: \.inert.hasNoSystemAccount,
            takes: .toggle,
            "Whether there is no system account unless one is defined, which is so anyhow."),
        Key(
            "accounts", takes: "a block, or a list of names", default: "none", reload: .taken,
            "Spaces of subjects apart from each other.",
            change: { old, new in
                guard old.accounts != new.accounts else { return nil }
                return .init(old: "\(old.accounts.count)", new: "\(new.accounts.count)")
            },
            read: { (entry, root, reader) throws(ConfigurationComplaint) in
                try reader.readAccounts(entry.value, into: &root)
            }),
    ]

    /// The entries of `accounts { … }`: each is an account.
    static let account = ConfigurationBlock<ConfiguredAccount>(
        "accounts.<name>", "An account; `$G`, whose users have no other, cannot be defined.",
        [
            Key("users", takes: "a list of blocks", default: "none", "Who is in the account.") {
                (entry, root, reader) throws(ConfigurationComplaint) in
                for var user in try reader.users(entry.value) {
                    guard reader.accounts.userNames.insert(user.name).inserted else {
                        throw entry.value.complaint("Duplicate user \"\(user.name)\" detected")
                    }
                    user.account = root.name
                    reader.accounts.users.append(user)
                }
            },
            .unsupported("nkey", summary: "The account's public key."),
            .unsupported("imports", summary: "Subjects of other accounts that appear in this one."),
            .unsupported("exports", summary: "Subjects that other accounts may import."),
            .unsupported("jetstream", summary: "Durable streams."),
            .unsupported("default_permissions", summary: "Permissions of users without any."),
            .unsupported("limits", summary: "Limits of the account as a whole."),
            .unsupported("mappings", "maps", summary: "Subjects that become others."),
            .unsupported("msg_trace", "trace_dest", summary: "Traces of single messages."),
            .unsupported("cluster_traffic", summary: "The account of messages between servers."),
        ])
}

/// An account while its block is read.
struct ConfiguredAccount: ConfigurationRoot {
    static let defaults = ConfiguredAccount(name: "")

    var name: String
}

/// What accounts, users and rules have to agree on, wherever in the file each stands.
struct ConfiguredAccounts {
    var names: Set<String> = []
    /// They join those of `authorization` in the end.
    var users: [BrokerConfiguration.User] = []
    var userNames: Set<String> = []
    var authorizationPlace: ConfigurationValue?
    /// Rules of other accounts than `$G`, and where they name them.
    var ofRules: [(entry: ConfigurationMap.Entry, account: String)] = []
}

extension ConfigurationReader {
    fileprivate mutating func readAccounts(
        _ value: ConfigurationValue, into configuration: inout BrokerConfiguration
    ) throws(ConfigurationComplaint) {
        configuration.accounts = []
        (accounts.names, accounts.users, accounts.userNames) = ([], [], [])
        switch value.content {
        case .array(let names):
            // Names alone: nobody can be in these yet.
            for name in names {
                try addAccount(try name.string("accounts"), at: name, to: &configuration)
            }
        case .map(let map):
            for entry in map.entries where !entry.isVariable {
                do throws(ConfigurationComplaint) {
                    try readAccount(entry, into: &configuration)
                } catch {
                    record(error)
                }
            }
        default: throw value.mismatch("accounts", takes: "a map or an array of names")
        }
    }

    private mutating func readAccount(
        _ entry: ConfigurationMap.Entry, into configuration: inout BrokerConfiguration
    ) throws(ConfigurationComplaint) {
        guard case .map(let map) = entry.value.content else {
            throw entry.value.complaint("Expected map entries for accounts")
        }
        try addAccount(entry.key, at: entry.value, to: &configuration)
        var account = ConfiguredAccount(name: entry.key)
        read(map, ConfigurationTable.account, into: &account)
    }

    private mutating func addAccount(
        _ name: String, at value: ConfigurationValue, to configuration: inout BrokerConfiguration
    ) throws(ConfigurationComplaint) {
        guard name != BrokerConfiguration.globalAccountName else {
            throw value.complaint("\"\(name)\" is a Reserved Account")
        }
        guard accounts.names.insert(name).inserted else {
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
    mutating func joinAccounts(into configuration: inout BrokerConfiguration) {
        do throws(ConfigurationComplaint) {
            if let place = accounts.authorizationPlace, !accounts.users.isEmpty {
                try configuration.authorization.expectUsers(at: place)
                try BrokerConfiguration.Authorization.expectNoDuplicates(
                    configuration.authorization.users + accounts.users, at: place)
            }
        } catch {
            record(error)
        }
        configuration.authorization.users += accounts.users
        // As nats-server does, so that a system account can be added to a server without users.
        configuration.authorization.admitsWithoutCredentials =
            accounts.authorizationPlace == nil && configuration.authorization.noAuthUser == nil
            && configuration.accounts == [configuration.systemAccountName]
        for (entry, account) in accounts.ofRules where !accounts.names.contains(account) {
            warn(entry, "there is no account \"\(account)\", so the rule is for nobody")
        }
    }
}
