import ArgumentParser
import MartletBroker

/// `martlet pub`: publishes, and returns once the server has the messages.
struct PublishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pub", abstract: "Publish a message, once or several times.")

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
            let connection = try ClientConnection(client.url, name: "martlet pub")
            let payload = message.payloadBytes()
            for number in 1...count {
                try connection.publish(
                    message.subject, reply: reply, headers: headers, payload: payload)
                // Its errors come back on the way: look at them now and then.
                if number % 10_000 == 0 { try connection.flush() }
            }
            try connection.flush()
            Console.printError(
                "Published \(count) \(count == 1 ? "message" : "messages") of \(payload.count) "
                    + "bytes to \"\(message.subject)\"")
        }
    }
}
