/// A parsed nats-server configuration file.
///
/// Loading checks the syntax; applying checks each key and fills a `BrokerConfiguration`. What a
/// file asks for and this version does not have is an error, never ignored in silence.
public struct ConfigurationFile: Sendable {
    /// The path as it was given.
    public let path: String
    /// `sha256:<hex>` of what the file says, as `nats-server -t` prints it.
    public let digest: String
    /// What works but should be changed, one text each, with file, line and column.
    public let warnings: [String]
    private let root: ConfigurationMap

    /// Reads a file and all that it includes.
    ///
    /// - Parameter environment: where `$NAME` is looked up when the file does not define it.
    public static func load(
        path: String, environment: [String: String]
    ) throws(BrokerError) -> ConfigurationFile {
        let text = try ConfigurationSource.text(ofFile: path)
        return try parse(text, path: path, environment: environment)
    }

    static func parse(
        _ text: String, path: String, environment: [String: String]
    ) throws(BrokerError) -> ConfigurationFile {
        var parser = ConfigurationParser(text, file: path, environment: environment)
        let root = try parser.parse()
        return ConfigurationFile(root, path: path, warnings: parser.warnings)
    }

    private init(_ root: ConfigurationMap, path: String, warnings: [String]) {
        var reader = ConfigurationReader(BrokerConfiguration())
        reader.read(root, path: path)
        self.root = root
        self.path = path
        self.warnings = warnings + reader.warnings
        digest = ConfigurationDigest.digest(of: root)
    }

    /// Sets what the file says and leaves the rest alone.
    ///
    /// The error names all that is wrong, one line each. `configuration` is then unchanged.
    /// What depends on several keys is checked by `BrokerConfiguration.validate()`, after the
    /// command line had its say.
    public func apply(to configuration: inout BrokerConfiguration) throws(BrokerError) {
        var reader = ConfigurationReader(configuration)
        reader.read(root, path: path)
        guard reader.errors.isEmpty else {
            throw BrokerError(.configuration, reader.errors.joined(separator: "\n"))
        }
        configuration = reader.configuration
        configuration.configurationFile = path
        configuration.configurationDigest = digest
    }
}
