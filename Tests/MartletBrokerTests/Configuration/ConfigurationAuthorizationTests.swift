import Testing

@testable import MartletBroker

@Suite("The authorization block")
struct ConfigurationAuthorizationTests {
    private func configure(_ text: String) throws(BrokerError) -> BrokerConfiguration {
        try ConfigurationUnderTest.configure(text)
    }

    private func failure(_ text: String) -> String? { ConfigurationUnderTest.failure(text) }

    @Test(
        "a user with a password",
        arguments: ["user: a, password: b", "username: a, pass: b", "USER: a\nPassword: b"])
    func singleUser(text: String) throws {
        let authorization = try configure("authorization { \(text) }").authorization
        #expect(authorization.user == "a")
        #expect(authorization.password == "b")
        #expect(authorization.isRequired)
    }

    @Test("a token, a bcrypt hash without quotes included")
    func token() throws {
        #expect(try configure("authorization { token: abc }").authorization.token == "abc")
        let hash = "$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG"
        #expect(try configure("authorization { token: \(hash) }").authorization.token == hash)
    }

    @Test("users, their order and no_auth_user, which may come before or after")
    func users() throws {
        let block = "authorization { P: s, users = [ {user: a, pass: $P}\n {username: b} ] }"
        for text in [block + "\nno_auth_user: b", "no_auth_user: b\n" + block] {
            let configuration = try configure(text)
            #expect(
                configuration.authorization.users == [
                    .init(name: "a", password: "s"), .init(name: "b", password: ""),
                ])
            #expect(configuration.authorization.noAuthUser == "b")
            try configuration.validate()
        }
    }

    @Test(
        "the timeout in seconds or as a duration",
        arguments: [
            ("3", 3_000_000_000), ("0.5", 500_000_000), ("'250ms'", 250_000_000),
            ("0", 2_000_000_000),
        ] as [(String, UInt64)])
    func timeout(text: String, nanoseconds: UInt64) throws {
        let configuration = try configure("authorization { timeout: \(text) }")
        #expect(configuration.authorization.timeoutNanoseconds == nanoseconds)
        #expect(!configuration.authorization.isRequired)
    }

    @Test(
        "errors",
        arguments: [
            (": 5", "1:0: \"authorization\" takes a map, not an integer"),
            ("{ user: 5 }", "1:16: \"user\" takes a string, not an integer"),
            ("{ user: a, password: b, token: c }", "1:0: Cannot have a user/pass and token"),
            (
                "{ user: a, password: b, users: [] }",
                "1:0: Can not have a single user/pass and a users array"
            ),
            ("{ token: b, users: [] }", "1:0: Can not have a token and a users array"),
            (
                "{ users: [{user:a,pass:b},{user:a,pass:c}] }",
                "1:0: Duplicate user \"a\" detected"
            ),
            ("{ users: 5 }", "1:16: Expected users field to be an array, got an integer"),
            ("{ users: [ 5 ] }", "1:25: Expected user entry to be a map/struct, got an integer"),
            ("{ users: [ {pass: b} ] }", "1:25: User entry requires a user"),
            ("{ users: [ {user: b, foo: 1} ] }", "1:35: unknown field \"foo\""),
            ("{ foo: 1 }", "1:16: unknown field \"foo\""),
            (
                "{ timeout: true }",
                "1:16: error parsing authorization config, 'timeout' wrong type"
            ),
            (
                "{ timeout: x }",
                "1:16: error parsing authorization config, 'timeout' time: invalid duration \"x\""
            ),
            ("{ timeout: -1 }", "1:16: invalid timeout, needs to be positive"),
            (
                "{ permissions {} }",
                "1:16: this version of Martlet does not support \"permissions\""
            ),
            (
                "{ auth_callout {} }",
                "1:16: this version of Martlet does not support \"auth_callout\""
            ),
            (
                "{ proxy_required: true }",
                "1:16: this version of Martlet does not support \"proxy_required: true\""
            ),
            (
                "{ users: [ {nkey: UA} ] }",
                "1:26: this version of Martlet does not support \"nkey\""
            ),
            (
                "{ users: [ {user: a, permissions {}} ] }",
                "1:35: this version of Martlet does not support \"permissions\""
            ),
            (
                "{ users: [ {user: a, allowed_connection_types: [STANDARD]} ] }",
                "1:35: this version of Martlet does not support \"allowed_connection_types\""
            ),
        ])
    func errors(text: String, expected: String) {
        #expect(failure("authorization \(text)") == "x.conf:" + expected)
    }

    // MARK: What only the whole configuration shows

    @Test(
        "validation of the whole",
        arguments: [
            (
                "lame_duck_duration: '1m', lame_duck_grace_period: '2m'",
                "lame duck grace period (2m0s) should be strictly lower than lame duck duration "
                    + "(1m0s)"
            ),
            (
                "max_payload: 64MB, max_pending: 1MB",
                "max_payload (67108864) cannot be higher than max_pending (1048576)"
            ),
            (
                "no_auth_user: bob",
                "no_auth_user: \"bob\" present, but users/nkeys are not defined"
            ),
            (
                "no_auth_user: bob, authorization { users: [{user: a, pass: b}] }",
                "no_auth_user: \"bob\" not present as user or nkey in authorization block or "
                    + "account configuration"
            ),
        ])
    func validation(text: String, expected: String) throws {
        let configuration = try configure(text)
        let error = #expect(throws: BrokerError.self) { try configuration.validate() }
        #expect(error?.message == expected)
    }

    @Test("all that is wrong with keys together is told at once, a line each")
    func allProblems() throws {
        var configuration = BrokerConfiguration()
        configuration.limits.pendingBytesMax = 1_000
        configuration.limits.memoryBytesMax = 1
        configuration.authorization.noAuthUser = "bob"
        configuration.systemAccount = "X"
        configuration.tuning.sliceNanoseconds = 0
        configuration.keepalive.pingIntervalNanoseconds = 0
        configuration.slowConsumers.rules = [.init(account: "Z", subject: "a.>", policy: .block)]
        let error = #expect(throws: BrokerError.self) { try configuration.validate() }
        #expect(
            error?.message.split(separator: "\n") == [
                "max_payload (1048576) cannot be higher than max_pending (1000)",
                "max_memory is 1, but takes 8388608 or more, or 0 for three quarters of the machine's",
                "ping_interval is 0, but takes 1 or more",
                "slice is 0, but takes 50000 or more",
                "no_auth_user: \"bob\" present, but users/nkeys are not defined",
                "error resolving system account: account missing",
                "slow_consumers: the account \"Z\" of the rule for \"a.>\" is missing",
            ])
    }

    @Test("the defaults are valid")
    func defaults() throws {
        try BrokerConfiguration().validate()
        var configuration = BrokerConfiguration()
        configuration.serverName = "a b"
        #expect(throws: BrokerError.self) { try configuration.validate() }
    }

    @Test(
        "durations read as Go prints them",
        arguments: [
            (0, "0s"), (1, "1ns"), (1_500, "1.5µs"), (2_000_000, "2ms"), (1_500_000_000, "1.5s"),
            (60_000_000_000, "1m0s"), (5_400_000_000_000, "1h30m0s"),
        ] as [(UInt64, String)])
    func durations(nanoseconds: UInt64, text: String) throws {
        #expect(ConfigurationDuration.text(ofNanoseconds: nanoseconds) == text)
        #expect(try ConfigurationDuration.parse(text) == Int64(nanoseconds))
    }

    @Test(
        "what is no duration",
        arguments: [
            "s", ".", ".s", "1.2.3s", "1s ", " 1s", "--1s", "9223372036s1h", "99999999999h",
        ])
    func badDurations(text: String) {
        #expect(throws: ConfigurationDuration.Failure.self) {
            try ConfigurationDuration.parse(text)
        }
    }
}
