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
        try validateRanges()
        try validateAuthorization()
        try validateNoAuthUser()
        try validateAccounts()
    }

    /// Flags may add to what a file says.
    private func validateAuthorization() throws(BrokerError) {
        let (hasUser, hasToken) = (authorization.user != nil, authorization.token != nil)
        let hasPassword = authorization.password != nil
        let problem: String? =
            if hasToken, hasUser || hasPassword {
                "Cannot have a user/pass and token"
            } else if hasUser, !authorization.users.isEmpty {
                "Can not have a single user/pass and a users array"
            } else if hasToken, !authorization.users.isEmpty {
                "Can not have a token and a users array"
            } else if hasPassword, !hasUser {
                "there is a password without a user, which would let everybody in"
            } else {
                nil
            }
        if let problem { throw BrokerError(.configuration, problem) }
        var names: Set<String> = []
        for user in authorization.users where !names.insert(user.name).inserted {
            throw BrokerError(.configuration, "Duplicate user \"\(user.name)\" detected")
        }
    }

    /// What a file could not say, a program may.
    private func validateRanges() throws(BrokerError) {
        let ranges: [(name: String, value: Int, range: ClosedRange<Int>)] = [
            ("port", port, -1...65_535), ("http_port", monitoring.port, -1...65_535),
            ("loops", loopCount ?? 1, 1...1_024),
            ("handlerThreadCount", handlerThreadCount ?? 1, 1...1_024),
            ("max_connections", limits.connectionsMax, 0...Int.max),
            ("max_subscriptions", limits.subscriptionsMax, 0...Int.max),
            ("max_sub_tokens", limits.subscriptionTokensMax, 0...Int.max),
            ("max_payload", limits.payloadBytesMax, 1...Int(Int32.max)),
            ("max_control_line", limits.controlLineBytesMax, 1...Limits.controlLineBytesCeiling),
            ("max_pending", limits.pendingBytesMax, 1...Int.max),
            ("max_closed_clients", limits.closedConnectionsMax, 0...Int.max),
            ("max_publish_rate", limits.publishedMessagesPerSecondMax, 0...Int.max),
            ("max_publish_bytes", limits.publishedBytesPerSecondMax, 0...Int.max),
            ("max_memory", limits.memoryBytesMax, 0...Int.max),
            ("max_traced_msg_len", log.tracedMessageBytesMax, 0...Int.max),
            ("ping_max", keepalive.pingsOutstandingMax, 0...Int.max),
        ]
        for (name, value, range) in ranges where !range.contains(value) {
            let upper = range.upperBound == .max ? " or more" : " to \(range.upperBound)"
            throw BrokerError(
                .configuration, "\(name) is \(value), but takes \(range.lowerBound)\(upper)")
        }
    }

    private func validateAccounts() throws(BrokerError) {
        let names = Set(accounts)
        guard names.count == accounts.count, !names.contains(Self.globalAccountName) else {
            throw BrokerError(
                .configuration, "an account is there twice, or is \"\(Self.globalAccountName)\"")
        }
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
