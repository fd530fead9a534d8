import ArgumentParser
import MartletBroker

/// `martlet pub`: publishes, and returns once the server has the messages.
struct PublishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pub", abstract: "Publish a message, once or several times.",
        discussion: ClientHelp.exitCodes)

    @OptionGroup var client: ClientOptions
    @OptionGroup var message: MessageOptions

    @Option(help: "How often to publish it.")
    var count = 1

    @Option(help: "The subject that answers should go to.")
    var reply: String?

    func validate() throws {
        if count < 1 { throw ValidationError("--count must be at least 1") }
    }

    func run() throws {
        try report {
            let headers = try InProcessHeaders(lines: message.headerLines)
            try MessageOptions.check(message.subject, reply: reply)
            // A verbose client is told of every message that is not taken, also where the reply says so.
            let connection = try ClientConnection.open(
                client.servers, name: "martlet pub", isVerbose: true)
            let payload = message.payloadBytes()
            try publish(payload, headers, to: connection)
            Console.printError(
                "Published \(count) \(count == 1 ? "message" : "messages") of \(payload.count) "
                    + "\(payload.count == 1 ? "byte" : "bytes") to \"\(message.subject)\"")
        }
    }

    /// Returns when the server has all messages.
    private func publish(
        _ payload: [UInt8], _ headers: InProcessHeaders, to connection: ClientConnection
    ) throws(CommandFailure) {
        var confirmed = 0
        do throws(CommandFailure) {
            for number in 1...count {
                try connection.publish(
                    message.subject, reply: reply, headers: headers, payload: payload)
                // Its errors come back on the way: look at them now and then.
                guard number % 10_000 == 0 || number == count else { continue }
                try connection.flush()
                confirmed = number
            }
        } catch {
            let howMany =
                count == 1 ? "not published" : "\(confirmed) of \(count) published for sure"
            throw CommandFailure(
                description: "\(howMany): \(error)", exitCode: error.exitCode)
        }
    }
}
