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
        if let path = options.configurationPath, !path.isEmpty {
            let file = try ConfigurationFile.load(
                path: path, environment: ProcessInfo.processInfo.environment)
            try file.apply(to: &configuration)
            configuration.configurationFile = path
            configuration.configurationDigest = file.digest
            warnings = file.warnings
        }
        options.apply(to: &configuration)
        self.configuration = configuration
        self.warnings = warnings
    }
}
