import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("What a reload does with each key of a configuration")
struct ConfigurationReloadTests {
    /// A key and two configurations that differ in it alone.
    struct Change: Sendable, CustomTestStringConvertible {
        let key: String
        let old: String
        let new: String

        var testDescription: String { key }

        init(_ key: String, _ old: String, _ new: String) {
            (self.key, self.old, self.new) = (key, old, new)
        }

        /// The text of a block, in which each key has a line of its own: where a rule stands counts too.
        func inBlock(_ block: String, beside others: String = "") -> Change {
            Change(
                key, "\(block) {\n\(others)\n\(old)\n}\n", "\(block) {\n\(others)\n\(new)\n}\n")
        }

        func after(_ text: String) -> Change { Change(key, text + old, text + new) }
    }

    private static let topLevel = [
        Change("listen", "listen: 5", "listen: 6"), Change("host", "host: a", "host: b"),
        Change("port", "port: 5", "port: 6"),
        Change("client_advertise", "", "client_advertise: 'a:1'"),
        Change("http", "http: 'a:5'", "http: 'b:5'"), Change("http_port", "", "http_port: 8222"),
        Change("http_base_path", "", "http_base_path: /a"),
        Change("server_name", "server_name: a", "server_name: b"),
        Change("server_tags", "server_tags: a", "server_tags: b"),
        Change("server_metadata", "server_metadata { a: b }", "server_metadata { a: c }"),
        Change("pid_file", "", "pid_file: a"), Change("ports_file_dir", "", "ports_file_dir: a"),
        Change("max_connections", "", "max_connections: 5"),
        Change("max_subscriptions", "", "max_subscriptions: 5"),
        Change("max_sub_tokens", "", "max_sub_tokens: 5"),
        Change("max_payload", "", "max_payload: 5"),
        Change("max_control_line", "", "max_control_line: 5"),
        Change("max_pending", "", "max_pending: 2MB"),
        Change("write_deadline", "", "write_deadline: 5s"),
        Change("write_timeout", "write_timeout: default", "write_timeout: close"),
        Change("max_closed_clients", "", "max_closed_clients: 5"),
        Change("no_header_support", "", "no_header_support: true"),
        Change("ping_interval", "", "ping_interval: 5s"), Change("ping_max", "", "ping_max: 5"),
        Change("lame_duck_duration", "", "lame_duck_duration: 60s"),
        Change("lame_duck_grace_period", "", "lame_duck_grace_period: 5s"),
        Change("no_auth_user", "", "no_auth_user: a").after(users),
        Change("authorization", "", users),
        Change("system_account", "", "system_account: A").after("accounts { A {} }\n"),
        Change("no_system_account", "", "no_system_account: true"),
        Change("accounts", "accounts { A {} }", "accounts { B {} }"),
        Change("debug", "", "debug: true"), Change("trace", "", "trace: true"),
        Change("trace_verbose", "trace: true", "trace: true, trace_verbose: true"),
        Change("max_traced_msg_len", "", "max_traced_msg_len: 5"),
        Change("logtime", "", "logtime: false"), Change("logtime_utc", "", "logtime_utc: true"),
        Change("log_file", "log_file: a", "log_file: b"),
        Change("logfile_size_limit", "", "logfile_size_limit: 5"),
        Change("logfile_max_num", "", "logfile_max_num: 5"), Change("syslog", "", "syslog: true"),
        Change("remote_syslog", "", "remote_syslog: 'udp://a:1'"),
        Change("martlet", "", "martlet { slice: 1ms }"),
        Change("rules", "", "rules { a { subject: a, validate: json } }"),
    ]

    private static let users = "authorization { users: [ { user: a, password: b } ] }\n"

    private static let accessBlocks =
        [
            Change("authorization.user", "user: a, password: c", "user: b, password: c"),
            Change("authorization.password", "user: a, password: b", "user: a, password: c"),
            Change("authorization.token", "token: a", "token: b"),
            Change("authorization.timeout", "timeout: 1", "timeout: 5"),
            Change("authorization.users", "", "users: [ { user: a, password: b } ]"),
            Change("users.user", user("a", "c"), user("b", "c")),
            Change("users.password", user("a", "b"), user("a", "c")),
        ].map { $0.inBlock("authorization") }
        + [
            Change("accounts.<name>.users", user("a", "b"), user("c", "b")).inBlock("accounts { A")
        ].map { Change($0.key, $0.old + "}", $0.new + "}") }

    private static func user(_ name: String, _ password: String) -> String {
        "users: [ { user: \(name), password: \(password) } ]"
    }

    private static let martletBlocks =
        [
            Change("martlet.loops", "loops: 1", "loops: 2"),
            Change("martlet.max_memory", "max_memory: 1GB", "max_memory: 2GB"),
            Change("martlet.max_publish_rate", "", "max_publish_rate: 5"),
            Change("martlet.max_publish_bytes", "", "max_publish_bytes: 5"),
            Change("martlet.spin", "", "spin: 5us"),
            Change("martlet.coalesce", "", "coalesce: 5us"),
            Change("martlet.slice", "", "slice: 1ms"),
            Change("martlet.stall_threshold", "", "stall_threshold: 1s"),
            Change("martlet.turn_clock", "turn_clock: wall", "turn_clock: thread"),
            Change("martlet.slow_consumers", "", "slow_consumers { default: block }"),
            Change("martlet.slow_consumers.default", slow(""), slow("default: block")),
            Change("martlet.slow_consumers.block_max", slow(""), slow("block_max: 5s")),
            Change("martlet.slow_consumers.rules", slow(""), slow("rules: [ { subject: a } ]")),
        ].map { $0.inBlock("martlet") }
        + [
            ("account", "account: A", "account: B"), ("subject", "subject: b", "subject: c"),
            ("policy", "policy: drop_new", "policy: drop_old"),
            ("max_pending", "max_pending: 5", "max_pending: 6"),
        ].map { name, old, new in
            let rule = { (text: String) in slow("rules: [ { subject: a, \(text) } ]") }
            return Change("martlet.slow_consumers.rules.\(name)", rule(old), rule(new))
                .inBlock("martlet").after("accounts { A {}, B {} }\n")
        }

    private static func slow(_ text: String) -> String { "slow_consumers { \(text) }" }

    private static let rules =
        [
            Change("rules.workers", "workers: 1", "workers: 2"),
            Change("rules.max_queue", "max_queue: 5", "max_queue: 6"),
            Change("rules.order", "", "order: none"),
            Change("rules.inline_below", "", "inline_below: 5"),
            Change("rules.oversize", "", "oversize: pass"),
            Change("rules.strict_schema", "", "strict_schema: true"),
            Change("rules.assert_format", "", "assert_format: true"),
            Change(
                "rules.schemas", "schemas { s: 'DIRECTORY/a.json' }",
                "schemas { s: 'DIRECTORY/b.json' }"),
            Change("rules.max_depth", "", "max_depth: 5"),
            Change("rules.max_payload", "", "max_payload: 5"),
            Change("rules.max_fields", "", "max_fields: 5"),
            Change("rules.max_key", "", "max_key: 16"),
            Change("rules.max_digits", "", "max_digits: 5"),
        ].map { $0.inBlock("rules", beside: "r { subject: a, validate: json }") }

    private static let oneRule =
        [
            Change("rules.<name>.subject", "subject: a, to: c", "subject: b, to: c"),
            Change(
                "rules.<name>.account", "subject: a, to: c, account: A",
                "subject: a, to: c, account: B"),
            rule("validate", "", "validate: json"),
            rule("when", "when: '{\"/a\": [1]}'", "when: '{\"/a\": [2]}'"),
            rule("else", "when: '{}', else: drop", "when: '{}', else: next"),
            rule("mode", "", "mode: shadow"), rule("next", "", "next: true"),
            rule("set_headers", "set_headers { A: b }", "set_headers { A: c }"),
            rule("to", "to: b", "to: d"), rule("payload", "payload: /a", "payload: /b"),
            rule("reply", "reply { pick { a: /b } }", "reply { pick { a: /c } }"),
            rule("reply.pick", "reply { pick { a: /b } }", "reply { pick { b: /b } }"),
            rule("on_invalid", json + "on_invalid: drop", json + "on_invalid: pass"),
            rule(
                "on_invalid.action", json + "on_invalid { action: drop }",
                json + "on_invalid { action: reject }"),
            rule(
                "on_invalid.dead_letter", json + "on_invalid { dead_letter: b }",
                json + "on_invalid { dead_letter: c }"),
            rule(
                "on_invalid.reply", json + "on_invalid { reply: true }",
                json + "on_invalid { reply: false }"),
            rule("validate.schema", "validate { schema: s }", "validate { schema: t }"),
            rule(
                "to.destination", "to: [ { destination: b, weight: 1 } ]",
                "to: [ { destination: c, weight: 1 } ]"),
            rule("to.weight", weights(1, 2), weights(2, 1)),
        ].map {
            $0.inBlock("r").inBlock(
                "rules", beside: "schemas { s: 'DIRECTORY/a.json', t: 'DIRECTORY/b.json' }"
            ).after("accounts { A {}, B {} }\n")
        }

    private static let json = "validate: json, "

    private static func rule(_ name: String, _ old: String, _ new: String) -> Change {
        Change("rules.<name>.\(name)", "subject: a, \(old)", "subject: a, \(new)")
    }

    private static func weights(_ one: Int, _ other: Int) -> String {
        "to: [ { destination: b, weight: \(one) }, { destination: c, weight: \(other) } ]"
    }

    static let changes = topLevel + accessBlocks + martletBlocks + rules + oneRule

    /// There is one value that it takes, so it cannot change.
    private static let withOneValue = ["rules.<name>.validate.json"]

    /// Of every block of docs/CONFIGURATION.md.
    private static let keys: [(name: String, facts: ConfigurationKeyFacts)] =
        named(ConfigurationTable.topLevel) + named(ConfigurationTable.authorization)
        + named(ConfigurationTable.user) + named(ConfigurationTable.account)
        + named(ConfigurationTable.martlet) + named(ConfigurationTable.slowConsumers)
        + named(ConfigurationTable.slowConsumerRule) + named(ConfigurationTable.rules)
        + named(ConfigurationTable.rule) + named(ConfigurationTable.validation)
        + named(ConfigurationTable.destination) + named(ConfigurationTable.reply)
        + named(ConfigurationTable.invalid)

    private static func named<Root>(
        _ block: ConfigurationBlock<Root>
    ) -> [(name: String, facts: ConfigurationKeyFacts)] {
        block.keys.map { (block.name(of: $0.facts), $0.facts) }
    }

    // MARK: Tests

    @Test("no key is missing from these tests")
    func completeness() {
        let reloadable = Self.keys.filter { $0.facts.reload != .unsupported }.map { $0.name }
        #expect(Set(Self.changes.map(\.key) + Self.withOneValue) == Set(reloadable))
        #expect(Self.changes.count + Self.withOneValue.count == reloadable.count)
    }

    @Test("a key that has changed is taken and told, or refuses the reload", arguments: changes)
    func isTakenOrRefused(change: Change) throws {
        let directory = try TemporaryDirectory(["a.json": "true", "b.json": "false"])
        let configure = { (text: String) throws(BrokerError) in
            try ConfigurationUnderTest.configure(
                text.replacing("DIRECTORY", with: directory.path))
        }
        let (old, new) = (try configure(change.old), try configure(change.new))
        let broker = try Broker(configuration: old, logger: .silent)
        let reload = Self.keys.first { $0.name == change.key }?.facts.reload
        do throws(BrokerError) {
            let told = try broker.reload(new)
            #expect(!told.isEmpty, "nothing is told")
            let rest = try broker.configuration.changes(to: new)
            #expect(rest == [], "it is not taken")
            if reload == .taken { #expect(told.contains { $0.hasPrefix("\(change.key) = ") }) }
            if case .takenAs(let name) = reload {
                #expect(told.contains { $0.hasPrefix("\(name) = ") })
            }
            if case .takenUnseenAs(let name) = reload { #expect(told.contains(name)) }
            if case .refusedAs = reload { Issue.record("it should have been refused") }
        } catch {
            #expect(error.message.hasPrefix("config reload not supported for "))
            let changes = try broker.configuration.changes(to: old)
            #expect(changes == [], "it is taken nevertheless")
        }
    }

    @Test("a key of what this version does not have takes one value at most")
    func unsupported() {
        for (name, facts) in Self.keys where facts.reload == .unsupported && !name.contains(".") {
            let taken = ["true", "false", "0", "1", "some", "5s", "{ a: b }", "[ a ]"].filter {
                ConfigurationUnderTest.failure("\(facts.names[0]): \($0)") == nil
            }
            #expect(taken.count <= 1, "\(name) takes \(taken)")
        }
    }
}
