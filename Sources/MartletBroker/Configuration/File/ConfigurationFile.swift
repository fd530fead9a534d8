/// A parsed nats-server configuration file.
///
/// Loading checks the syntax; applying checks each key and fills a `BrokerConfiguration`. What a
/// file asks for and this version does not have is an error, never ignored in silence.
public struct ConfigurationFile: Sendable {
    /// The path as it was given.
    public let path: String
    /// `sha256:<hex>` of what the file says, as `nats-server -t` prints it.
    public let digest: String
    private let root: ConfigurationMap
    /// What the grammar allows but nobody means.
    private let doubts: [String]

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
        return ConfigurationFile(
            path: path, digest: ConfigurationDigest.digest(of: root), root: root,
            doubts: parser.warnings)
    }

    /// Sets what the file says and leaves the rest alone; rules are compiled.
    ///
    /// The error names all that is wrong, one line each. `configuration` is then unchanged.
    /// What depends on several keys is checked by `Broker`, and by `BrokerConfiguration.validate()`,
    /// after the command line had its say.
    ///
    /// - Returns: what works but should be changed, one text each, with file, line and column.
    @discardableResult
    public func apply(
        to configuration: inout BrokerConfiguration
    ) throws(BrokerError) -> [String] {
        var reader = ConfigurationReader()
        var read = configuration
        reader.read(root, path: path, into: &read)
        guard reader.errors.isEmpty else {
            throw BrokerError(.configuration, reader.errors.joined(separator: "\n"))
        }
        read.configurationFile = path
        read.configurationDigest = digest
        configuration = read
        return doubts + reader.warnings
    }
}
