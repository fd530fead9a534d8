import ArgumentParser
import FoundationEssentials
import Glibc
import MartletBroker
import MartletRules

/// `martlet rules test`: what the rules of a configuration file make of one message.
struct RulesTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Show what the rules make of a message.",
        discussion: """
            Exits with 0 when the message goes on or is answered, with 1 when it is rejected or \
            dropped, and with 2 when the configuration or the message is not valid.
            """)

    @OptionGroup var rules: RulesFileOptions

    @Option(help: "The subject that the message is published to.")
    var subject: String

    @Option(help: "A file with the payload; - is standard input.")
    var file: String?

    @Option(parsing: .unconditional, help: "The payload itself.")
    var payload: String?

    @Option(
        name: [.customLong("header"), .customShort("H")], parsing: .singleValue,
        help: "A header, \"Name: value\"; more than once for more.")
    var headers: [String] = []

    @Option(help: "The subject that the sender wants the answer on.")
    var reply: String?

    @Option(help: "The account that the message is published in.")
    var account: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (file == nil) != (payload == nil) else {
            throw ValidationError("the payload comes from either --file or --payload")
        }
    }

    func run() throws {
        var isStopped = false
        try report {
            let trial = try trial()
            let loaded = try LoadedRules(path: rules.path)
            try Self.check(trial, loaded)
            let result = try trial.run(loaded.set)
            Console.print(json ? result.json : result.text)
            isStopped = result.isStopped
        }
        if isStopped { throw ExitCode(1) }
    }

    private func trial() throws(CommandFailure) -> RuleTrial {
        do throws(CommandFailure) {
            try MessageOptions.check(subject, reply: reply)
            return RuleTrial(
                subject: subject, headers: try InProcessHeaders(lines: headers),
                payload: try payloadBytes(), reply: reply,
                account: account == BrokerConfiguration.globalAccountName ? nil : account)
        } catch {
            throw CommandFailure(
                description: error.description, exitCode: LoadedRules.failureExitCode)
        }
    }

    /// With a wrong account a message meets no rules, which would look as if all were well.
    private static func check(_ trial: RuleTrial, _ loaded: LoadedRules) throws(CommandFailure) {
        guard loaded.accounts.contains(trial.account) else {
            throw CommandFailure(
                description: "there is no account \"\(trial.account ?? "")\" in the configuration",
                exitCode: LoadedRules.failureExitCode)
        }
        guard !trial.meetsRules(loaded.set, in: trial.account),
            let account = loaded.accounts.first(where: { trial.meetsRules(loaded.set, in: $0) })
        else { return }
        let other = account.map { "--account \($0)" } ?? "no --account"
        throw CommandFailure(
            description: "no rule of this account is for subject \"\(trial.subject)\", but one of "
                + "another is: try \(other)", exitCode: LoadedRules.failureExitCode)
    }

    private func payloadBytes() throws(CommandFailure) -> [UInt8] {
        guard let file else { return Array((payload ?? "").utf8) }
        if file == "-" { return StandardInput.readAll() }
        guard unsafe access(file, R_OK) == 0 else {
            throw CommandFailure(description: "open \(file): \(SystemError.text(errno))")
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw CommandFailure(description: "read \(file): it is not a file")
        }
        return Array(data)
    }
}
