import Testing

@testable import MartletBroker

@Suite("Configuration keys")
struct ConfigurationKeysTests {
    private func parse(_ text: String) throws(BrokerError) -> ConfigurationFile {
        try ConfigurationUnderTest.parse(text)
    }

    private func configure(_ text: String) throws(BrokerError) -> BrokerConfiguration {
        try ConfigurationUnderTest.configure(text)
    }

    private func failure(_ text: String) -> String? { ConfigurationUnderTest.failure(text) }

    @Test(
        "each key and alias sets its field, in any case of its letters",
        arguments: [
            ("listen: 127.0.0.1:5000", "127.0.0.1 5000"), ("listen: 5000", "0.0.0.0 5000"),
            ("listen: ':5000'", "0.0.0.0 5000"), ("listen: '[::1]:5000'", "::1 5000"),
            ("listen: -1", "0.0.0.0 -1"), ("LISTEN: 'h:0'", "h 4222"),
            ("host: h", "h 4222"), ("net: h", "h 4222"), ("Net: ''", "0.0.0.0 4222"),
            ("port: 5000", "0.0.0.0 5000"), ("port: 0", "0.0.0.0 4222"),
        ])
    func addresses(text: String, expected: String) throws {
        let configuration = try configure(text)
        #expect("\(configuration.host) \(configuration.port)" == expected)
    }

    @Test(
        "the monitoring address",
        arguments: [
            ("http: 8222", "- 8222 -"), ("http: '127.0.0.1:8222'", "127.0.0.1 8222 -"),
            ("http_port: 8222", "- 8222 -"), ("monitor_port: -1", "- -1 -"),
            ("http_base_path: nats", "- 0 /nats"), ("http_base_path: '/a//b/../c/'", "- 0 /a/c"),
            ("http_base_path: '/'", "- 0 -"),
        ])
    func monitoring(text: String, expected: String) throws {
        let configuration = try configure(text)
        let path =
            configuration.monitoring.basePath.isEmpty ? "-" : configuration.monitoring.basePath
        #expect(
            "\(configuration.monitoring.host ?? "-") \(configuration.monitoring.port) \(path)"
                == expected)
    }

    struct Key: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let isSet: @Sendable (BrokerConfiguration) -> Bool

        init(_ text: String, _ isSet: @escaping @Sendable (BrokerConfiguration) -> Bool) {
            testDescription = text
            self.isSet = isSet
        }
    }

    static let keys: [Key] = [
        Key("server_name: n1") { $0.serverName == "n1" },
        Key("client_advertise: 'a:1'") { $0.clientAdvertise == "a:1" },
        Key("server_tags: [AbC, 'x y', abc, ' q ']") { $0.serverTags == ["abc", "x y", "q"] },
        Key("server_tags: one") { $0.serverTags == ["one"] },
        Key("server_metadata { a: b, c: d }") { $0.serverMetadata == ["a": "b", "c": "d"] },
        Key("pidfile: /p") { $0.files.processID == "/p" },
        Key("pid_file: /p") { $0.files.processID == "/p" },
        Key("ports_file_dir: /p") { $0.files.portsDirectory == "/p" },
        Key("max_connections: 5") { $0.limits.connectionsMax == 5 },
        Key("max_conn: 5") { $0.limits.connectionsMax == 5 },
        Key("max_conn: 0") { $0.limits.connectionsMax == 0 },
        Key("max_conn: -1") { $0.limits.connectionsMax == 0 },
        Key("max_subscriptions: 5") { $0.limits.subscriptionsMax == 5 },
        Key("max_subs: 5") { $0.limits.subscriptionsMax == 5 },
        Key("max_subs: -1") { $0.limits.subscriptionsMax == 0 },
        Key("max_sub_tokens: 5") { $0.limits.subscriptionTokensMax == 5 },
        Key("max_subscription_tokens: 255") { $0.limits.subscriptionTokensMax == 255 },
        Key("max_payload: 2mb") { $0.limits.payloadBytesMax == 2_097_152 },
        Key("max_payload: 0") { $0.limits.payloadBytesMax == 1_048_576 },
        Key("max_control_line: 2k") { $0.limits.controlLineBytesMax == 2_000 },
        Key("max_control_line: 0") { $0.limits.controlLineBytesMax == 4_096 },
        Key("max_pending: 5gb") { $0.limits.pendingBytesMax == 5_368_709_120 },
        Key("max_pending: 0") { $0.limits.pendingBytesMax == 67_108_864 },
        Key("max_closed_clients: 5") { $0.limits.closedConnectionsMax == 5 },
        Key("max_closed_clients: 0") { $0.limits.closedConnectionsMax == 10_000 },
        Key("max_traced_msg_len: 5") { $0.log.tracedMessageBytesMax == 5 },
        Key("max_traced_msg_len: -5") { $0.log.tracedMessageBytesMax == 0 },
        Key("ping_max: 5") { $0.keepalive.pingsOutstandingMax == 5 },
        Key("ping_max: 0") { $0.keepalive.pingsOutstandingMax == 2 },
        Key("ping_interval: '1h5m.5s'") {
            $0.keepalive.pingIntervalNanoseconds == 3_900_500_000_000
        },
        Key("ping_interval: '0s'") { $0.keepalive.pingIntervalNanoseconds == 120_000_000_000 },
        Key("ping_interval: 30") { $0.keepalive.pingIntervalNanoseconds == 30_000_000_000 },
        Key("write_deadline: '250ms'") { $0.limits.writeDeadlineNanoseconds == 250_000_000 },
        Key("write_deadline: 3") { $0.limits.writeDeadlineNanoseconds == 3_000_000_000 },
        Key("lame_duck_duration: '30s'") { $0.lameDuck.durationNanoseconds == 30_000_000_000 },
        Key("lame_duck_grace_period: '1.5s'") {
            $0.lameDuck.gracePeriodNanoseconds == 1_500_000_000
        },
        Key("no_header_support: true") { $0.disablesHeaders },
        Key("debug: true") { $0.log.debug && !$0.log.trace },
        Key("trace: true") { $0.log.trace && !$0.log.traceVerbose },
        Key("trace_verbose: true") { $0.log.trace && $0.log.traceVerbose },
        Key("trace: true, trace_verbose: false") { $0.log.trace && !$0.log.traceVerbose },
        Key("logtime: false") { !$0.log.showsTime },
        Key("logtime_utc: true") { $0.log.usesUTC },
        Key("logfile: /l") { $0.log.file == "/l" },
        Key("log_file: /l") { $0.log.file == "/l" },
        Key("logfile_size_limit: 1mb") { $0.log.fileBytesMax == 1_048_576 },
        Key("log_size_limit: 5") { $0.log.fileBytesMax == 5 },
        Key("logfile_max_num: 5") { $0.log.filesMax == 5 },
        Key("log_max_num: 5") { $0.log.filesMax == 5 },
        Key("syslog: true") { $0.log.syslog },
        Key("remote_syslog: 'udp://h:514'") { $0.log.remoteSyslog == "udp://h:514" },
        Key("no_auth_user: bob") { $0.authorization.noAuthUser == "bob" },
        Key("martlet { loops: 3 }") { $0.loopCount == 3 },
        Key("martlet { loops: auto }") { $0.loopCount == nil },
        Key("martlet { max_memory: 2GB }") { $0.limits.memoryBytesMax == 2_147_483_648 },
        Key("martlet { spin: 50us, coalesce: '0.2ms', stall_threshold: 1s }") {
            $0.tuning.spinNanoseconds == 50_000 && $0.tuning.coalesceNanoseconds == 200_000
                && $0.tuning.stallThresholdNanoseconds == 1_000_000_000
        },
        Key("martlet { turn_clock: thread }") { $0.tuning.turnClock == .thread },
        Key("martlet { max_publish_rate: 1000 }") {
            $0.limits.publishedMessagesPerSecondMax == 1_000
        },
        Key("martlet { max_publish_bytes: 10MB }") {
            $0.limits.publishedBytesPerSecondMax == 10_485_760
        },
        Key("martlet { slow_consumers { default: drop_old, block_max: '2s' } }") {
            $0.slowConsumers.defaultPolicy == .dropOld
                && $0.slowConsumers.blockNanosecondsMax == 2_000_000_000
        },
    ]

    @Test("a key sets its field", arguments: keys)
    func setsField(_ key: Key) throws {
        #expect(key.isSet(try configure(key.testDescription)))
        let upper = key.testDescription.prefix { $0 != ":" && $0 != " " }
        let spelled = upper.uppercased() + key.testDescription.dropFirst(upper.count)
        #expect(key.isSet(try configure(spelled)))
    }

    @Test("a file sets what it says and leaves the rest")
    func leavesRest() throws {
        var configuration = BrokerConfiguration()
        configuration.port = 1
        configuration.limits.connectionsMax = 7
        try parse("port: 5000").apply(to: &configuration)
        #expect(configuration.port == 5000)
        #expect(configuration.limits.connectionsMax == 7)
        #expect(configuration.configurationFile == "x.conf")
        #expect(configuration.configurationDigest?.hasPrefix("sha256:") == true)
        let wrong = try parse("port: 1, host: 2")
        #expect(throws: BrokerError.self) { try wrong.apply(to: &configuration) }
        #expect(configuration.port == 5000)
    }

    @Test("rules for slow consumers keep their order and take the default policy")
    func slowConsumerRules() throws {
        let slow = try configure(
            """
            martlet { slow_consumers {
              rules: [
                { account: A, subject: 'a.*.>', policy: block, max_pending: 1mb }
                { subject: b }
              ]
              default: drop_new
            } }
            """
        ).slowConsumers
        #expect(slow.defaultPolicy == .dropNew)
        try #require(slow.rules.count == 2)
        #expect(slow.rules[0].account == "A")
        #expect(slow.rules[0].subject == "a.*.>")
        #expect(slow.rules[0].policy == .block)
        #expect(slow.rules[0].pendingBytesMax == 1_048_576)
        #expect(slow.rules[1].account == nil)
        #expect(slow.rules[1].policy == .dropNew)
        #expect(slow.rules[1].pendingBytesMax == nil)
    }

    // MARK: Errors

    @Test(
        "a wrong value is an error with its position",
        arguments: [
            ("port: abc", "1:0: \"port\" takes an integer, not a string"),
            ("port: 65536", "1:0: port 65536 is not between -1 and 65535"),
            ("port: -2", "1:0: port -2 is not between -1 and 65535"),
            ("\nhost: 5", "2:1: \"host\" takes a string, not an integer"),
            ("debug: 1", "1:0: \"debug\" takes true or false, not an integer"),
            ("listen: abc", "1:0: could not parse address string \"abc\""),
            ("listen: '::1:4222'", "1:0: could not parse address string \"::1:4222\""),
            ("listen: 'h:x'", "1:0: could not parse port \"x\""),
            ("http: 1.5", "1:0: expected port or host:port, got a float"),
            ("server_name: 'a b'", "1:0: server name cannot contain spaces"),
            ("max_payload: 3gb", "1:0: max_payload value is too big"),
            ("max_payload: -1", "1:0: max_payload value must be 0 or more, not -1"),
            ("max_control_line: 3gb", "1:0: max_control_line value is too big"),
            ("max_pending: -1", "1:0: max_pending value must be 0 or more, not -1"),
            ("max_subs: -2", "1:0: max_subs value must be -1 or more, not -2"),
            ("max_sub_tokens: 0", "1:0: max_sub_tokens value can not be negative"),
            ("max_sub_tokens: 256", "1:0: max_sub_tokens value is too big"),
            (
                "ping_interval: '10'",
                "1:0: error parsing ping_interval: time: missing unit in duration \"10\""
            ),
            (
                "ping_interval: '10x'",
                "1:0: error parsing ping_interval: time: unknown unit \"x\" in duration \"10x\""
            ),
            (
                "write_deadline: ''",
                "1:0: error parsing write_deadline: time: invalid duration \"\""
            ),
            ("write_deadline: '-1s'", "1:0: invalid write_deadline, needs to be positive"),
            (
                "lame_duck_duration: 60",
                "1:0: \"lame_duck_duration\" takes a string, not an integer"
            ),
            (
                "lame_duck_duration: '10s'",
                "1:0: invalid lame_duck_duration of 10s, minimum is 30 seconds"
            ),
            (
                "lame_duck_duration: '-1m30s'",
                "1:0: invalid lame_duck_duration of -1m30s, minimum is 30 seconds"
            ),
            (
                "lame_duck_grace_period: '-1s'",
                "1:0: invalid lame_duck_grace_period, needs to be positive"
            ),
            ("server_tags: 5", "1:0: error parsing tags: unsupported type an integer"),
            (
                "server_tags: [5]",
                "1:14: error parsing tags: unsupported type an integer where a string is expected"
            ),
            ("server_metadata: 5", "1:0: error parsing metadata: unsupported type an integer"),
            ("server_metadata { a: 5 }", "1:18: \"a\" takes a string, not an integer"),
            ("foo: 1", "1:0: unknown field \"foo\""),
            ("Foo { bar: 1 }", "1:0: unknown field \"Foo\""),
            ("martlet: 5", "1:0: \"martlet\" takes a map, not an integer"),
            ("martlet { Loop: 5 }", "1:10: unknown field \"Loop\""),
            ("martlet { loops: 0 }", "1:10: loops value must be 1 or more, not 0"),
            ("martlet { loops: many }", "1:10: \"loops\" takes a number or auto, not \"many\""),
            ("martlet { max_memory: -1 }", "1:10: max_memory value must be 0 or more, not -1"),
            (
                "martlet { slow_consumers { default: drop } }",
                "1:27: \"default\" takes one of close, drop_new, drop_old, block, not \"drop\""
            ),
            (
                "martlet { coalesce: 1s }",
                "1:10: \"coalesce\" takes a time of 0 to 10ms, or auto"
            ),
            (
                "martlet { slow_consumers { block_max: '0s' } }",
                "1:27: invalid block_max, needs to be positive"
            ),
            (
                "martlet { slow_consumers { rules: [{ subject: 'a..b' }] } }",
                "1:37: \"a..b\" is not a valid subject"
            ),
            (
                "martlet { slow_consumers { rules: [{ subject: 'a.>.b' }] } }",
                "1:37: \"a.>.b\" is not a valid subject"
            ),
        ])
    func wrongValues(text: String, expected: String) {
        #expect(failure(text) == "x.conf:" + expected)
    }

    @Test("all errors of a file are told at once")
    func severalErrors() {
        #expect(
            failure("host: 5\ndebug: 1\nport: 5000\nfoo: 1")
                == """
                x.conf:1:0: "host" takes a string, not an integer
                x.conf:2:1: "debug" takes true or false, not an integer
                x.conf:4:1: unknown field "foo"
                """)
    }

    @Test("an unknown key is fine where a variable uses it")
    func usedUnknownKey() throws {
        #expect(try configure("my_port: 5000\nport: $my_port").port == 5000)
        #expect(failure("a { b: 1, c: $b }") == "x.conf:1:0: unknown field \"a\"")
    }

    // MARK: What this version does not do

    @Test(
        "a key of a feature that is missing is an error",
        arguments: [
            "tls {}", "cluster { port: 1 }", "leafnodes {}", "leaf {}", "gateway {}", "mqtt {}",
            "websocket {}", "ws {}", "mappings {}", "maps {}", "operator: x",
            "resolver: MEM", "resolver_preload {}", "https: 1",
            "trusted_keys: x", "feature_flags {}", "TLS {}", "store_dir: x",
        ])
    func unsupported(text: String) {
        let key = text.lowercased().prefix { $0 != ":" && $0 != " " }
        #expect(
            failure("port: 1\n" + text)
                == "x.conf:2:1: this version of Martlet does not support \"\(key)\"")
    }

    @Test(
        "a switch is taken only in the position that describes this broker",
        arguments: [
            ("jetstream", "false", "true"), ("jetstream", "disabled", "enabled"),
            ("jetstream", "off", "{ max_mem: 1 }"),
            ("no_fast_producer_stall", "true", "false"),
            ("allow_non_tls", "true", "false"), ("ocsp", "false", "true"),
            ("proxy_protocol", "false", "true"), ("trace_headers", "false", "true"),
            ("https_port", "0", "8443"), ("prof_port", "0", "6060"),
            ("write_timeout", "close", "retry"),
        ])
    func switches(key: String, taken: String, refused: String) {
        #expect(failure("\(key): \(taken)") == nil)
        #expect(
            failure("\(key): \(refused)")?.hasPrefix(
                "x.conf:1:0: this version of Martlet does not support \"\(key)") == true)
    }

    // MARK: Warnings

    @Test(
        "warnings",
        arguments: [
            ("# nothing", "x.conf: config has no values or is empty"),
            (
                "ping_interval: 10",
                "x.conf:1:0: invalid use of field \"ping_interval\": ping_interval should be "
                    + "converted to a duration"
            ),
            (
                "authorization { token: \"$2a$11$...\" }",
                "x.conf:1:16: invalid use of field \"token\": it begins like a bcrypt hash and is "
                    + "none, so nothing ever matches it"
            ),
            (
                "authorization { users: [{user: a, pass: '$2b$04$abc'}] }",
                "x.conf:1:34: invalid use of field \"pass\": it begins like a bcrypt hash and is "
                    + "none, so nothing ever matches it"
            ),
            (
                "authorization { timeout: \"2m\" }",
                "x.conf:1:16: invalid use of field \"timeout\": timeout of 2m (120.000000 seconds)"
                    + " is high, consider keeping it under 60 seconds. possibly caused by "
                    + "unquoted duration; use '1m' instead of 1m, for example"
            ),
            (
                "authorization { timeout: 61.5 }",
                "x.conf:1:16: invalid use of field \"timeout\": timeout of 61.5 (61.500000 "
                    + "seconds) is high, consider keeping it under 60 seconds. possibly caused by "
                    + "unquoted duration; use '1m' instead of 1m, for example"
            ),
        ])
    func warnings(text: String, expected: String) throws {
        #expect(try ConfigurationUnderTest.warnings(text) == [expected])
    }

    @Test("a plain file has no warnings")
    func noWarnings() throws {
        let hash = "$2a$11$" + String(repeating: "a./Z9", count: 10) + "abc"
        #expect(
            try ConfigurationUnderTest.warnings("authorization { token: '\(hash)' }") == [])
        let text = "port: 1, ping_interval: '1s', authorization {timeout: 1}"
        #expect(try ConfigurationUnderTest.warnings(text) == [])
    }
}
