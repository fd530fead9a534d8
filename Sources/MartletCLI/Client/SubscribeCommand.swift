import ArgumentParser
import MartletBroker

/// `martlet sub`: payloads go to stdout, a line each; what else there is to know goes to stderr.
struct SubscribeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sub",
        abstract: "Print the messages of a subject.",
        discussion: """
            Each payload is a line on standard output. Subject, reply subject, size and headers \
            go to standard error, unless --quiet is given.

            """ + ClientHelp.exitCodes)

    @OptionGroup var client: ClientOptions

    @Argument(help: "The subject; * stands for one token, > for one or more at the end.")
    var subject: String

    @Option(help: "Share the messages with the other members of this queue group.")
    var queue: String?

    @Option(help: "End after so many messages.")
    var count: Int?

    @Option(help: "Answer every request with this text.")
    var reply: String?

    @Flag(name: [.long, .short], help: "Print payloads only.")
    var quiet = false

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    }

    func run() throws {
        try report {
            try ClientArguments.check { () throws(BrokerError) in
                try SubjectCheck.forSubscription(subject)
                if let queue { try SubjectCheck.forQueue(queue) }
            }
            let connection = try ClientConnection.open(client.servers, name: "martlet sub")
            try connection.subscribe(subject, queue: queue, id: 1, messagesMax: count)
            report("Listening on \"\(subject)\"")
            var received = 0
            while count.map({ received < $0 }) ?? true {
                let message = try connection.message()
                received += 1
                guard show(message, number: received) else { return }
                try answer(message, on: connection)
            }
        }
    }

    /// Returns false when nobody reads the output any more.
    private func show(_ message: InProcessMessage, number: Int) -> Bool {
        let reply = message.reply.map { ", reply to \"\($0)\"" } ?? ""
        report("[#\(number)] \"\(message.subject)\", \(message.payload.count) bytes\(reply)")
        for line in message.headers.lines { report(line) }
        return Console.write(payload: message.payload)
    }

    private func answer(
        _ message: InProcessMessage, on connection: ClientConnection
    ) throws(CommandFailure) {
        guard let reply, let inbox = message.reply else { return }
        try connection.publish(inbox, payload: Array(reply.utf8))
    }

    private func report(_ text: String) {
        if !quiet { Console.printError(text.printable) }
    }
}
