extension BrokerConfiguration {
    /// Checks the configuration as a whole; `Broker` does so at its start and at each reload.
    ///
    /// What is wrong with a single key of a file or flag is told before. Throws
    /// `BrokerError.Code.configuration`, with a line for each thing that is wrong.
    public func validate() throws(BrokerError) {
        let problems =
            limitProblems + rangeProblems + authorizationProblems + noAuthUserProblems
            + accountProblems
        guard problems.isEmpty else {
            throw BrokerError(.configuration, problems.joined(separator: "\n"))
        }
    }

    private var limitProblems: [String] {
        var problems: [String] = []
        if lameDuck.durationNanoseconds > 0,
            lameDuck.gracePeriodNanoseconds >= lameDuck.durationNanoseconds
        {
            let grace = ConfigurationDuration.text(ofNanoseconds: lameDuck.gracePeriodNanoseconds)
            let duration = ConfigurationDuration.text(ofNanoseconds: lameDuck.durationNanoseconds)
            problems.append(
                "lame duck grace period (\(grace)) should be strictly lower than lame duck "
                    + "duration (\(duration))")
        }
        if limits.payloadBytesMax > limits.pendingBytesMax {
            problems.append(
                "max_payload (\(limits.payloadBytesMax)) cannot be higher than max_pending "
                    + "(\(limits.pendingBytesMax))")
        }
        if (1..<Limits.memoryBytesFloor).contains(limits.memoryBytesMax) {
            problems.append(
                "max_memory is \(limits.memoryBytesMax), but takes \(Limits.memoryBytesFloor) or more, "
                    + "or 0 for three quarters of the machine's")
        }
        if serverName?.contains(" ") == true {
            problems.append("server name cannot contain spaces")
        }
        return problems
    }

    /// Flags may add to what a file says.
    private var authorizationProblems: [String] {
        let (hasUser, hasToken) = (authorization.user != nil, authorization.token != nil)
        let hasPassword = authorization.password != nil
        var problems: [String] = []
        if hasToken, hasUser || hasPassword {
            problems.append("Cannot have a user/pass and token")
        } else if hasUser, !authorization.users.isEmpty {
            problems.append("Can not have a single user/pass and a users array")
        } else if hasToken, !authorization.users.isEmpty {
            problems.append("Can not have a token and a users array")
        } else if hasPassword, !hasUser {
            problems.append(
                "there is a password without a user, which would let everybody in")
        }
        var names: Set<String> = []
        for user in authorization.users where !names.insert(user.name).inserted {
            problems.append("Duplicate user \"\(user.name)\" detected")
        }
        return problems
    }

    /// What a file could not say, a program may.
    private var rangeProblems: [String] {
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
        return ranges.compactMap(Self.problem) + timeProblems
    }

    /// In nanoseconds. One that is too short would close everybody or leave no time for work.
    private var timeProblems: [String] {
        let second = 1_000_000_000
        let times: [(name: String, value: UInt64, range: ClosedRange<Int>)] = [
            ("write_deadline", limits.writeDeadlineNanoseconds, 1...Int.max),
            ("ping_interval", keepalive.pingIntervalNanoseconds, 1...Int.max),
            ("authorization timeout", authorization.timeoutNanoseconds, 1...Int.max),
            ("block_max", slowConsumers.blockNanosecondsMax, 1...Int.max),
            ("spin", tuning.spinNanoseconds ?? 0, 0...second),
            ("coalesce", tuning.coalesceNanoseconds ?? 0, 0...second),
            ("slice", tuning.sliceNanoseconds, 50_000...Int.max),
            ("stall_threshold", tuning.stallThresholdNanoseconds, 10_000...Int.max),
        ]
        return times.compactMap { Self.problem($0.name, Int(clamping: $0.value), $0.range) }
    }

    private static func problem(_ name: String, _ value: Int, _ range: ClosedRange<Int>) -> String?
    {
        guard !range.contains(value) else { return nil }
        let upper = range.upperBound == .max ? " or more" : " to \(range.upperBound)"
        return "\(name) is \(value), but takes \(range.lowerBound)\(upper)"
    }

    private var accountProblems: [String] {
        let names = Set(accounts)
        var problems: [String] = []
        if names.count != accounts.count || names.contains(Self.globalAccountName) {
            problems.append(
                "an account is there twice, or is \"\(Self.globalAccountName)\"")
        }
        if let name = systemAccount, name != Self.defaultSystemAccountName, !names.contains(name) {
            problems.append("error resolving system account: account missing")
        }
        for user in authorization.users {
            guard let account = user.account, !names.contains(account) else { continue }
            problems.append(
                "user \"\(user.name)\" is in no account: \"\(account)\" is missing")
        }
        for rule in slowConsumers.rules {
            guard let account = rule.account, account != Self.globalAccountName,
                !names.contains(account), account != systemAccountName
            else { continue }
            problems.append(
                "slow_consumers: the account \"\(account)\" of the rule for \"\(rule.subject)\" "
                    + "is missing")
        }
        return problems
    }

    private var noAuthUserProblems: [String] {
        guard let name = authorization.noAuthUser else { return [] }
        if authorization.users.isEmpty {
            return ["no_auth_user: \"\(name)\" present, but users/nkeys are not defined"]
        }
        guard authorization.users.contains(where: { $0.name == name }) else {
            return [
                "no_auth_user: \"\(name)\" not present as user or nkey in authorization block or "
                    + "account configuration"
            ]
        }
        return []
    }
}
