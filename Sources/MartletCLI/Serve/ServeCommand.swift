import ArgumentParser
import MartletBroker

/// `martlet serve`: reads the flags, does what is over at once, or runs the server to its end.
struct ServeCommand {
    let arguments: [String]

    init(_ arguments: [String]) { self.arguments = arguments }

    /// Returns the exit code.
    func run() -> Int32 {
        do {
            guard let options = try parse() else { return 0 }
            if let signal = options.signal, !signal.isEmpty {
                try SignalCommand(signal).run()
                return 0
            }
            if options.checksConfiguration == true { return try checkConfiguration(options) }
            return try Server.run(options)
        } catch let failure as GoFlags.Failure {
            Console.printError(failure.description)
            if failure.showsUsage { Console.print(Usage.text) }
        } catch {
            Console.printError("nats-server: \(error)")
        }
        return 1
    }

    /// The flags, or nil when what they asked for was printed.
    private func parse() throws -> ServeOptions? {
        let flags = try GoFlags(arguments)
        let options = try Self.options(flags)
        let word = flags.words.first?.lowercased()
        if options.showsVersion == true || (options.showsHelp != true && word == "version") {
            // Clients and scripts read the first line as nats-server's own.
            Console.print("nats-server: v\(Broker.compatibleVersion)")
            Console.print("martlet \(Broker.version)")
            return nil
        }
        if options.showsHelp == true || word == "help" {
            Console.print(Usage.text)
            return nil
        }
        if let word = flags.words.first {
            throw CommandFailure(description: "unrecognized command: \"\(word)\"")
        }
        if let name = flags.unsupported {
            throw CommandFailure(description: "flag -\(name) is not supported by this version")
        }
        return options
    }

    static func options(_ flags: GoFlags) throws(CommandFailure) -> ServeOptions {
        do {
            return try ServeOptions.parse(flags.canonical)
        } catch {
            throw CommandFailure(description: ServeOptions.message(for: error))
        }
    }

    private func checkConfiguration(_ options: ServeOptions) throws -> Int32 {
        guard let path = options.configurationPath, !path.isEmpty else {
            throw CommandFailure(
                description:
                    "must specify [-c, --config] option to check configuration file syntax")
        }
        let loaded = try ServeConfiguration(options)
        // A check is strict: what a start would only warn of fails it.
        guard loaded.warnings.isEmpty else {
            throw CommandFailure(description: loaded.warnings.joined(separator: "\n"))
        }
        let digest = loaded.configuration.configurationDigest ?? ""
        Console.printError("nats-server: configuration file \(path) is valid (\(digest))")
        return 0
    }
}
