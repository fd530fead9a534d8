import ArgumentParser

/// One publisher, many subscribers.
struct FanOut: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fanout", abstract: "one publisher to many subscribers, at a rate")

    @OptionGroup var options: Options
    @OptionGroup var beside: BackgroundOptions
    @OptionGroup var shared: SharedLoadOptions

    @Option(help: "messages published per second")
    var rate = 1_000.0

    @Option(help: "subscribers, each with a connection of its own")
    var subscribers = 50

    func run() throws {
        let turns = try options.makeTurns()
        let payload = unsafe options.makePayload()
        let subject = "\(shared.prefix).fanout"
        for _ in 0..<subscribers { try turns.connect().subscribe(subject) }
        let publisher = try turns.connect()
        let head = options.makeHead(subject)
        let background = try beside.make(turns)
        try turns.barrier()
        let run = PacedRun(
            turns: turns, options: options, background: background, rate: rate,
            copies: subscribers, inFlight: shared.inFlight)
        let report = try run.run { _, due in
            unsafe publisher.send(head.bytes, head.count, due: due, payload, options.size)
            turns.markDirty(publisher)
        } arrives: { _, message, _ in
            message.dueMoment
        }
        options.print(report, workload: "fanout", details: [("subscribers", subscribers)])
    }
}
