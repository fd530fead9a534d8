import ArgumentParser
import MartletBroker

/// `martlet request`: publishes with a reply subject of its own and prints the first answer.
struct RequestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request",
        abstract: "Publish a request and print the answer.",
        discussion: ClientHelp.exitCodes)

    @OptionGroup var client: ClientOptions
    @OptionGroup var message: MessageOptions

    @Option(help: "How long to wait for the answer, for example 500ms or 2s.")
    var timeout = TimeText(seconds: 2)

    func run() throws {
        try report {
            let headers = try InProcessHeaders(lines: message.headerLines)
            try MessageOptions.check(message.subject)
            let connection = try ClientConnection.open(
                client.servers, name: "martlet request")
            let payload = message.payloadBytes()
            let inbox = "_INBOX.martlet.\(UInt64.random(in: .min ... .max))"
            try connection.subscribe(inbox, id: 1, messagesMax: 1)
            try connection.publish(
                message.subject, reply: inbox, headers: headers, payload: payload)
            let answer = try answer(connection)
            show(answer)
            try check(answer)
        }
    }

    private func answer(
        _ connection: ClientConnection
    ) throws(CommandFailure) -> InProcessMessage {
        let deadline = Deadline.after(seconds: timeout.seconds)
        while true {
            switch try connection.next(deadline: deadline) {
            case .pong: continue
            case .timeout:
                throw CommandFailure(
                    description: "no answer on \"\(message.subject)\" within \(timeout.seconds)s")
            case .message(let answer):
                guard answer.status != 503 || !answer.payload.isEmpty else {
                    throw CommandFailure(
                        description: "no responders on \"\(message.subject)\" (503)")
                }
                return answer
            }
        }
    }

    /// A service that could not do what it was asked says so in a header (ADR-32), and so does a rule that has
    /// rejected the request.
    private func check(_ answer: InProcessMessage) throws(CommandFailure) {
        guard let code = answer.headers["Nats-Service-Error-Code"] else { return }
        let text = answer.headers["Nats-Service-Error"] ?? ""
        throw CommandFailure(
            description: "the request was answered with error \(code.printable): \(text.printable)")
    }

    private func show(_ answer: InProcessMessage) {
        if let status = answer.status { Console.printError("Status: \(status)") }
        for line in answer.headers.lines { Console.printError(line.printable) }
        _ = Console.write(payload: answer.payload)
    }
}
