import FoundationEssentials
import MartletBroker

/// Defaults, then the configuration file, then the flags: the later one wins.
struct ServeConfiguration {
    let configuration: BrokerConfiguration
    /// What the file says and this version passes over.
    let warnings: [String]

    /// The configuration of this process.
    init(_ options: ServeOptions) throws(BrokerError) {
        try self.init(
            options, path: options.configurationPath,
            environment: ProcessInfo.processInfo.environment)
    }

    /// The configuration of a process that has these options and this environment.
    init(
        _ options: ServeOptions, path: String?, environment: [String: String]
    ) throws(BrokerError) {
        var configuration = BrokerConfiguration()
        var warnings: [String] = []
        if let path {
            let file = try ConfigurationFile.load(path: path, environment: environment)
            warnings = try file.apply(to: &configuration)
        }
        try options.apply(to: &configuration)
        try configuration.validate()
        self.configuration = configuration
        self.warnings = warnings
    }
}
