import ArgumentParser
import FoundationEssentials
import MartletBroker
import MartletRules

/// `martlet rules`: looks at the rules of a configuration file without running a server.
struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Try and check the content rules of a configuration file.",
        subcommands: [RulesTestCommand.self, RulesCheckCommand.self])

    func run() throws { throw ValidationError("which one is missing: test or check") }
}

/// What the commands of `martlet rules` take.
struct RulesFileOptions: ParsableArguments {
    @Option(name: [.customLong("config"), .customShort("c")], help: "The configuration file.")
    var path: String
}

/// The rules of a configuration file, compiled.
struct LoadedRules {
    let definition: RuleSetDefinition
    let set: RuleSet
    /// The accounts that messages may be published in, nil for everybody who has no other.
    let accounts: [String?]
    /// What is doubtful in the whole file, the rules included.
    let warnings: [String]

    /// For what is wrong with the file or the arguments: 1 is the fate of a message.
    static let failureExitCode: Int32 = 2

    init(path: String) throws(CommandFailure) {
        do {
            let file = try ConfigurationFile.load(
                path: path, environment: ProcessInfo.processInfo.environment)
            var configuration = BrokerConfiguration()
            warnings = try file.apply(to: &configuration)
            guard let rules = configuration.rules else {
                throw BrokerError(.configuration, "\(path): there is no block \"rules\"")
            }
            definition = rules.definition
            set = try rules.compiledSet()
            accounts = [nil] + configuration.accounts
        } catch {
            throw CommandFailure(description: "\(error)", exitCode: Self.failureExitCode)
        }
    }
}
