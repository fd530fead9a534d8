import FoundationEssentials
import MartletBroker

/// Defaults, then the configuration file, then the flags: the later one wins.
struct ServeConfiguration {
    let configuration: BrokerConfiguration
    /// What the file says and this version passes over.
    let warnings: [String]

    init(_ options: ServeOptions) throws(BrokerError) {
        var configuration = BrokerConfiguration()
        var warnings: [String] = []
        if let path = options.configurationPath {
            let file = try ConfigurationFile.load(
                path: path, environment: ProcessInfo.processInfo.environment)
            warnings = try file.apply(to: &configuration)
        }
        try options.apply(to: &configuration)
        try configuration.validate()
        self.configuration = configuration
        self.warnings = warnings
    }
}
