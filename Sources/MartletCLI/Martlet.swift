import ArgumentParser
import Glibc

/// The executable. Flags alone, or after `serve`, run the broker and follow nats-server's rules;
/// `pub`, `sub` and `request` are small clients and `rules` looks at a configuration file; these
/// have flags as POSIX has them.
@main
struct Martlet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "A message broker that speaks the NATS client protocol, and a client for it.",
        subcommands: [
            PublishCommand.self, SubscribeCommand.self, RequestCommand.self, RulesCommand.self,
        ]
    )

    /// The commands that are no server.
    static var clientCommands: [String] { configuration.subcommands.map { $0._commandName } }

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let first = arguments.first, clientCommands.contains(first) {
            signal(SIGPIPE, SIG_IGN)
            main(arguments)
        } else {
            let flags = arguments.first == "serve" ? Array(arguments.dropFirst()) : arguments
            Glibc.exit(ServeCommand(flags).run())
        }
    }
}
