import MartletBroker

/// One flag of `martlet serve`, by the spelling that was given.
struct ServeFlag {
    /// What the flag is for.
    enum Purpose {
        /// A key of the configuration by another name; the broker's table has these.
        case setting
        case command(Command)
        /// nats-server has it and this version does not.
        case unsupported
    }

    /// What the process does, rather than what the broker is like.
    enum Command {
        case showHelp, showVersion, checkConfiguration, configurationFile, signal
    }

    let kind: ConfigurationFlagKind
    let purpose: Purpose

    static func named(_ name: String) -> ServeFlag? {
        if let kind = ConfigurationFlags.kind(of: name) {
            return ServeFlag(kind: kind, purpose: .setting)
        }
        if let (kind, command) = commands[name] {
            return ServeFlag(kind: kind, purpose: .command(command))
        }
        return unsupported[name].map { ServeFlag(kind: $0, purpose: .unsupported) }
    }

    private static let commands: [String: (ConfigurationFlagKind, Command)] = [
        "h": (.toggle, .showHelp), "help": (.toggle, .showHelp),
        "v": (.toggle, .showVersion), "version": (.toggle, .showVersion),
        "t": (.toggle, .checkConfiguration),
        "c": (.text, .configurationFile), "config": (.text, .configurationFile),
        "sl": (.text, .signal), "signal": (.text, .signal),
    ]

    private static let unsupported: [String: ConfigurationFlagKind] = {
        let toggles = ["js", "jetstream", "tls", "tlsverify", "help_tls", "no_advertise"]
        let numbers = ["ms", "https_port", "profile", "connect_retries"]
        let texts = [
            "routes", "cluster", "cluster_listen", "cluster_advertise", "cluster_name",
            "tlscert", "tlskey", "tlscacert", "sd", "store_dir",
        ]
        let pairs =
            toggles.map { ($0, ConfigurationFlagKind.toggle) } + numbers.map { ($0, .number) }
            + texts.map { ($0, .text) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }()
}
