import Testing

@testable import MartletBroker

@Suite("What a reload changes")
struct ConfigurationChangesTests {
    private func changes(from old: String = "", to new: String) throws -> [String] {
        try ConfigurationUnderTest.configure(old).changes(to: ConfigurationUnderTest.configure(new))
    }

    @Test(
        "a key that a reload takes is reported with its new value",
        arguments: [
            ("debug: true", "debug = true"),
            ("trace: true", "trace = true"),
            ("logtime: false", "logtime = false"),
            ("log_file: /l", "log_file = /l"),
            ("remote_syslog: 'udp://h:1'", "remote_syslog = udp://h:1"),
            ("logfile_size_limit: 1k", "logfile_size_limit = 1000"),
            ("max_traced_msg_len: 5", "max_traced_msg_len = 5"),
            ("max_connections: 7", "max_connections = 7"),
            ("max_subs: 7", "max_subscriptions = 7"),
            ("max_payload: 2MB", "max_payload = 2097152"),
            ("max_control_line: 8KB", "max_control_line = 8192"),
            ("max_pending: 2MB", "max_pending = 2097152"),
            ("max_closed_clients: 2", "max_closed_clients = 2"),
            ("write_deadline: 2s", "write_deadline = 2s"),
            ("ping_interval: '90s'", "ping_interval = 1m30s"),
            ("ping_max: 3", "ping_max = 3"),
            ("lame_duck_duration: '1m'", "lame_duck_duration = 1m0s"),
            ("no_header_support: true", "no_header_support = true"),
            ("client_advertise: 'h:1'", "client_advertise = h:1"),
            ("pid_file: /p", "pid_file = /p"),
            ("ports_file_dir: /p", "ports_file_dir = /p"),
            ("server_tags: a", "tags"),
            ("server_metadata { a: b }", "metadata"),
            ("authorization { token: t }", "authorization token"),
            ("authorization { timeout: 1.5 }", "authorization timeout = 1.5"),
            ("authorization { users: [{user: a, pass: b}] }", "authorization users"),
            ("accounts: [A, B]", "accounts = 2"),
            ("martlet { max_publish_rate: 5 }", "martlet.max_publish_rate = 5"),
            ("martlet { max_publish_bytes: 5 }", "martlet.max_publish_bytes = 5"),
            ("martlet { spin: 50us }", "martlet.spin = 50µs"),
            ("martlet { coalesce: 1ms }", "martlet.coalesce = 1ms"),
            ("martlet { slice: 1ms }", "martlet.slice = 1ms"),
            ("martlet { stall_threshold: 1s }", "martlet.stall_threshold = 1s"),
            ("martlet { turn_clock: thread }", "martlet.turn_clock = thread"),
            (
                "martlet { slow_consumers { default: block } }",
                "martlet.slow_consumers.default = block"
            ),
            (
                "martlet { slow_consumers { block_max: 2s } }",
                "martlet.slow_consumers.block_max = 2s"
            ),
            (
                "martlet { slow_consumers { rules: [{subject: a}] } }",
                "martlet.slow_consumers.rules"
            ),
            ("rules { a { subject: a, validate: json } }", "rules = 1"),
        ])
    func taken(text: String, change: String) throws {
        #expect(try changes(to: text) == [change])
        #expect(try changes(from: text, to: text) == [])
        #expect(try changes(from: text, to: "").count == 1)
    }

    @Test("who comes without credentials may become another user")
    func noAuthUser() throws {
        let users = "authorization { users: [{user: a, pass: b}, {user: c, pass: d}] }\n"
        let changes = try changes(
            from: users + "no_auth_user: a", to: users + "no_auth_user: c")
        #expect(changes == ["no_auth_user = c"])
    }

    @Test(
        "a key that needs a restart refuses the reload",
        arguments: [
            ("host: h", "Host: old=0.0.0.0, new=h"), ("port: 5", "Port: old=4222, new=5"),
            ("listen: 5", "Port: old=4222, new=5"),
            ("server_name: n", "ServerName: old=, new=n"),
            ("http: 'h:0'", "HTTPHost: old=0.0.0.0, new=h"),
            ("http_port: 8222", "HTTPPort: old=0, new=8222"),
            ("http_base_path: /p", "HTTPBasePath: old=, new=/p"),
            ("accounts: [A], system_account: A", "SystemAccount: old=, new=A"),
            ("martlet { loops: 2 }", "martlet.loops: old=auto, new=2"),
            ("martlet { max_memory: 1k }", "martlet.max_memory: old=0, new=1000"),
        ])
    func refused(text: String, reason: String) {
        let error = #expect(throws: BrokerError.self) { try changes(to: "debug: true\n" + text) }
        // Some decide others: who has no `http` host listens on `host`.
        let first = error?.message.split(separator: "\n").first
        #expect(first == "config reload not supported for \(reason)")
    }

    @Test("all keys that need a restart are told at once, one line each")
    func allRefused() {
        let text = "port: 5\nserver_name: n\nmax_payload: 2MB\nmartlet { loops: 2 }"
        let error = #expect(throws: BrokerError.self) { try changes(to: text) }
        let lines = error?.message.split(separator: "\n") ?? []
        #expect(
            Set(lines) == [
                "config reload not supported for Port: old=4222, new=5",
                "config reload not supported for ServerName: old=, new=n",
                "config reload not supported for martlet.loops: old=auto, new=2",
            ])
        #expect(lines.count == 3)
    }

    @Test("what only a program can set needs a restart too")
    func withoutKeys() throws {
        let old = BrokerConfiguration()
        var (silent, threads) = (old, old)
        silent.dontListen = true
        threads.handlerThreadCount = 2
        for new in [silent, threads] {
            #expect(throws: BrokerError.self) { try old.changes(to: new) }
        }
    }

    @Test("secrets are not shown")
    func secrets() throws {
        let text = "authorization { user: u, password: sesame }"
        let changes = try changes(to: text)
        #expect(changes == ["authorization username", "authorization password"])
    }
}
