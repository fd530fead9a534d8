extension BrokerConfiguration {
    /// Checks what only the finished configuration shows, with file and command line merged.
    ///
    /// A single key's errors come from `ConfigurationFile` or the command line before.
    public func validate() throws(BrokerError) {
        if lameDuckDurationNanoseconds > 0,
            lameDuckGracePeriodNanoseconds >= lameDuckDurationNanoseconds
        {
            let grace = ConfigurationDuration.text(ofNanoseconds: lameDuckGracePeriodNanoseconds)
            let duration = ConfigurationDuration.text(ofNanoseconds: lameDuckDurationNanoseconds)
            throw BrokerError(
                .configuration,
                "lame duck grace period (\(grace)) should be strictly lower than lame duck "
                    + "duration (\(duration))")
        }
        if payloadBytesMax > pendingBytesMax {
            throw BrokerError(
                .configuration,
                "max_payload (\(payloadBytesMax)) cannot be higher than max_pending "
                    + "(\(pendingBytesMax))")
        }
        if serverName?.contains(" ") == true {
            throw BrokerError(.configuration, "server name cannot contain spaces")
        }
        try validateNoAuthUser()
        try validateAccounts()
    }

    private func validateAccounts() throws(BrokerError) {
        let names = Set(accounts)
        if let name = systemAccount, name != Self.defaultSystemAccountName, !names.contains(name) {
            throw BrokerError(.configuration, "error resolving system account: account missing")
        }
        for user in authorization.users {
            guard let account = user.account, !names.contains(account) else { continue }
            throw BrokerError(
                .configuration, "user \"\(user.name)\" is in no account: \"\(account)\" is missing")
        }
    }

    private func validateNoAuthUser() throws(BrokerError) {
        guard let name = authorization.noAuthUser else { return }
        if authorization.users.isEmpty {
            throw BrokerError(
                .configuration,
                "no_auth_user: \"\(name)\" present, but users/nkeys are not defined")
        }
        guard authorization.users.contains(where: { $0.name == name }) else {
            throw BrokerError(
                .configuration,
                "no_auth_user: \"\(name)\" not present as user or nkey in authorization block or "
                    + "account configuration")
        }
    }
}
