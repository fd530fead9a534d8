import ArgumentParser
import FoundationEssentials
import Glibc
import MartletBroker

/// What all client commands take.
struct ClientOptions: ParsableArguments {
    @Option(
        name: [.long, .short],
        help: """
            The server: nats://user:password@host:port. Several are separated by commas and tried \
            in their order. Without it, NATS_URL says which, or nats://127.0.0.1:4222 is meant.
            """)
    var server: String?

    var servers: [ServerURL] {
        get throws {
            let environment = ProcessInfo.processInfo.environment["NATS_URL"]
            let fallback = environment.flatMap { $0.isEmpty ? nil : $0 }
            return try ServerURL.list(server ?? fallback ?? "nats://127.0.0.1:4222")
        }
    }
}

/// What all client commands say of their exit codes.
enum ClientHelp {
    static let exitCodes = """
        Exits with 1 when the server refuses something or nobody answers, with 2 when there is no \
        connection to a server or none any more, and with 64 when the arguments are wrong.
        """
}

/// Subjects and queues as arguments, looked at before anything is read or connected.
enum ClientArguments {
    static func check(_ body: () throws(BrokerError) -> Void) throws(CommandFailure) {
        do throws(BrokerError) { try body() } catch { throw .wrongArguments(error.message) }
    }
}

/// A message to send, from the command line or from standard input.
struct MessageOptions: ParsableArguments {
    @Argument(help: "The subject to publish to.")
    var subject: String

    @Argument(help: "The payload; standard input when there is none.")
    var payload: String?

    @Option(name: [.customLong("header"), .customShort("H")], help: "A header, \"Name: value\".")
    var headerLines: [String] = []

    static func check(_ subject: String, reply: String? = nil) throws(CommandFailure) {
        try ClientArguments.check { () throws(BrokerError) in
            try SubjectCheck.forPublish(subject)
            if let reply { try SubjectCheck.forPublish(reply) }
        }
    }

    func payloadBytes() -> [UInt8] {
        if let payload { return Array(payload.utf8) }
        return StandardInput.readAll()
    }
}

extension ParsableCommand {
    /// Runs a client command: failures are one line on stderr and an exit code.
    func report(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let failure as CommandFailure {
            Console.printError("martlet: \(failure)")
            throw ExitCode(failure.exitCode)
        }
    }
}

/// `250ms`, `2s`, `1m`, or seconds as a number.
struct TimeText: ExpressibleByArgument, Equatable {
    let seconds: Double

    init(seconds: Double) { self.seconds = seconds }

    init?(argument: String) {
        let units: [(suffix: String, seconds: Double)] = [
            ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3_600), ("", 1),
        ]
        guard let unit = units.first(where: { argument.hasSuffix($0.suffix) }),
            let number = Double(argument.dropLast(unit.suffix.count)),
            number.isFinite, number > 0, number * unit.seconds <= 1e6
        else { return nil }
        seconds = number * unit.seconds
    }

    var defaultValueDescription: String { "\(seconds)s" }
}
