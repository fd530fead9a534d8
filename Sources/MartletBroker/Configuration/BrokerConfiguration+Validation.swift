extension BrokerConfiguration {
    /// Checks the configuration as a whole; `Broker` does so at its start and at each reload.
    ///
    /// What is wrong with a single key of a file or flag is told before. Throws
    /// `BrokerError.Code.configuration`.
    public func validate() throws(BrokerError) {
        if lameDuck.durationNanoseconds > 0,
            lameDuck.gracePeriodNanoseconds >= lameDuck.durationNanoseconds
        {
            let grace = ConfigurationDuration.text(ofNanoseconds: lameDuck.gracePeriodNanoseconds)
            let duration = ConfigurationDuration.text(ofNanoseconds: lameDuck.durationNanoseconds)
            throw BrokerError(
                .configuration,
                "lame duck grace period (\(grace)) should be strictly lower than lame duck "
                    + "duration (\(duration))")
        }
        if limits.payloadBytesMax > limits.pendingBytesMax {
            throw BrokerError(
                .configuration,
                "max_payload (\(limits.payloadBytesMax)) cannot be higher than max_pending "
                    + "(\(limits.pendingBytesMax))")
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
