/// One flag of `martlet serve`: its spellings and what it sets.
struct ServeFlag {
    enum Kind { case toggle, number, text }

    let names: [String]
    let kind: Kind
    /// The canonical options it sets; more than one for `-DV` and its like.
    let targets: [String]
    /// A flag that nats-server has and this version does not.
    var isUnsupported = false

    static func named(_ name: String) -> ServeFlag? { byName[name] }

    private static let byName: [String: ServeFlag] = {
        var table: [String: ServeFlag] = [:]
        for flag in supported + unsupported {
            for name in flag.names { table[name] = flag }
        }
        return table
    }()

    private static func toggle(_ names: String..., sets targets: [String]) -> ServeFlag {
        ServeFlag(names: names, kind: .toggle, targets: targets)
    }

    private static func number(_ names: String..., sets target: String) -> ServeFlag {
        ServeFlag(names: names, kind: .number, targets: [target])
    }

    private static func text(_ names: String..., sets target: String) -> ServeFlag {
        ServeFlag(names: names, kind: .text, targets: [target])
    }

    private static let supported: [ServeFlag] = [
        toggle("h", "help", sets: ["show-help"]),
        toggle("v", "version", sets: ["show-version"]),
        number("p", "port", sets: "port"),
        text("n", "name", "server_name", sets: "name"),
        text("a", "addr", "net", sets: "addr"),
        text("client_advertise", sets: "client-advertise"),
        toggle("D", "debug", sets: ["debug"]),
        toggle("V", "trace", sets: ["trace"]),
        toggle("VV", sets: ["trace", "trace-verbose"]),
        toggle("DV", sets: ["debug", "trace"]),
        toggle("DVV", sets: ["debug", "trace", "trace-verbose"]),
        toggle("T", "logtime", sets: ["logtime"]),
        toggle("logtime_utc", sets: ["logtime-utc"]),
        text("user", sets: "user"),
        text("pass", sets: "pass"),
        text("auth", sets: "auth"),
        number("m", "http_port", sets: "http-port"),
        text("c", "config", sets: "config"),
        toggle("t", sets: ["check"]),
        text("sl", "signal", sets: "signal"),
        text("P", "pid", sets: "pid"),
        text("ports_file_dir", sets: "ports-file-dir"),
        text("l", "log", sets: "log"),
        number("log_size_limit", sets: "log-size-limit"),
        toggle("s", "syslog", sets: ["syslog"]),
        text("r", "remote_syslog", sets: "remote-syslog"),
        number("max_traced_msg_len", sets: "max-traced-msg-len"),
        text("loops", sets: "loops"),
    ]

    private static let unsupported: [ServeFlag] =
        ["js", "jetstream", "tls", "tlsverify", "help_tls", "no_advertise"]
        .map { ServeFlag(names: [$0], kind: .toggle, targets: [], isUnsupported: true) }
        + ["ms", "https_port", "profile", "connect_retries"]
        .map { ServeFlag(names: [$0], kind: .number, targets: [], isUnsupported: true) }
        + [
            "routes", "cluster", "cluster_listen", "cluster_advertise", "cluster_name",
            "tlscert", "tlskey", "tlscacert", "sd", "store_dir",
        ]
        .map { ServeFlag(names: [$0], kind: .text, targets: [], isUnsupported: true) }
}
