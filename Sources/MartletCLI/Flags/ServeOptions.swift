import MartletBroker

/// What the flags of `martlet serve` ask for.
struct ServeOptions {
    var showsHelp = false
    var showsVersion = false
    var checksConfiguration = false
    /// nil without one; an empty path is none.
    var configurationPath: String?
    /// `command` or `command=pid`; nil without one.
    var signal: String?
    /// Settings in the order given, so that the last one wins.
    private(set) var settings: [(flag: String, value: ConfigurationFlags.Value)] = []

    /// A flag of a feature that this version does not have.
    private(set) var unsupported: String?

    init(_ flags: GoFlags) {
        for (name, flag, value) in flags.given {
            switch flag.purpose {
            case .setting: settings.append((name, value))
            case .command(let command): set(command, value)
            case .unsupported where value == .toggle(false): break
            case .unsupported: unsupported = unsupported ?? name
            }
        }
    }

    private mutating func set(_ command: ServeFlag.Command, _ value: ConfigurationFlags.Value) {
        switch (command, value) {
        case (.showHelp, .toggle(let isOn)): showsHelp = isOn
        case (.showVersion, .toggle(let isOn)): showsVersion = isOn
        case (.checkConfiguration, .toggle(let isOn)): checksConfiguration = isOn
        case (.configurationFile, .text(let path)): configurationPath = path.isEmpty ? nil : path
        case (.signal, .text(let text)): signal = text.isEmpty ? nil : text
        default: preconditionFailure("a flag has a value of another kind than its own")
        }
    }

    /// Writes what was given over what `configuration` holds; what a file could not say is refused.
    func apply(to configuration: inout BrokerConfiguration) throws(BrokerError) {
        for (flag, value) in settings {
            try ConfigurationFlags.set(flag, to: value, in: &configuration)
        }
    }
}
