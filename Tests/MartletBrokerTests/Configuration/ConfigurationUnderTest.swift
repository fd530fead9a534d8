import MartletTestSupport

@testable import MartletBroker

/// What a configuration file says, and what is wrong with it.
enum ConfigurationUnderTest {
    static func parse(_ text: String) throws(BrokerError) -> ConfigurationFile {
        try ConfigurationFile.parse(text, path: "x.conf", environment: [:])
    }

    static func configure(_ text: String) throws(BrokerError) -> BrokerConfiguration {
        var configuration = BrokerConfiguration()
        try parse(text).apply(to: &configuration)
        return configuration
    }

    /// What works but should be changed.
    static func warnings(_ text: String) throws(BrokerError) -> [String] {
        var configuration = BrokerConfiguration()
        return try parse(text).apply(to: &configuration)
    }

    /// The message of the error that `read` ends with; nil without one.
    static func failure(
        _ text: String, _ read: (String) throws(BrokerError) -> BrokerConfiguration = configure
    ) -> String? {
        do {
            _ = try read(text)
            return nil
        } catch {
            return error.message
        }
    }
}

/// Files of a configuration whose first one is "main".
extension TemporaryDirectory {
    func load(_ environment: [String: String] = [:]) throws(BrokerError) -> ConfigurationFile {
        try ConfigurationFile.load(path: file("main"), environment: environment)
    }

    /// The message of the failure, with the directory cut out.
    func failure() -> String? {
        do {
            _ = try load()
            return nil
        } catch {
            return error.message.split(separator: "\(path)/", omittingEmptySubsequences: false)
                .joined()
        }
    }
}
