import MartletBroker

/// `martlet serve`: reads the flags, does what is over at once, or runs the server to its end.
struct ServeCommand {
    let arguments: [String]

    init(_ arguments: [String]) { self.arguments = arguments }

    /// Returns the exit code.
    func run() -> Int32 {
        do {
            guard let options = try parse() else { return 0 }
            if let signal = options.signal {
                try SignalCommand(signal).run()
                return 0
            }
            if options.checksConfiguration { return try checkConfiguration(options) }
            return try Server.run(options)
        } catch let failure as GoFlags.Failure {
            Console.printError(failure.description)
            if failure.showsUsage { Console.print(Usage.text) }
        } catch {
            Console.printError("martlet: \(error)")
        }
        return 1
    }

    /// The flags, or nil when what they asked for was printed.
    private func parse() throws -> ServeOptions? {
        let flags = try GoFlags(arguments)
        let options = ServeOptions(flags)
        let word = flags.words.first?.lowercased()
        if options.showsVersion || (!options.showsHelp && word == "version") {
            // Clients and scripts read the first line as nats-server's own.
            Console.print("nats-server: v\(Broker.compatibleVersion)")
            Console.print("martlet \(Broker.version)")
            return nil
        }
        if options.showsHelp || word == "help" {
            Console.print(Usage.text)
            return nil
        }
        if let word = flags.words.first {
            throw CommandFailure(description: "unrecognized command: \"\(word)\"")
        }
        if let name = options.unsupported {
            throw CommandFailure(description: "flag -\(name) is not supported by this version")
        }
        return options
    }

    private func checkConfiguration(_ options: ServeOptions) throws -> Int32 {
        guard let path = options.configurationPath else {
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
        Console.printError("martlet: configuration file \(path) is valid (\(digest))")
        for note in loaded.configuration.rules?.notes ?? [] {
            Console.printError("martlet: note: \(note)")
        }
        return 0
    }
}
