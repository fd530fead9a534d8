import ArgumentParser

/// Publishers with many subscribers each.
struct FanOut: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fanout", abstract: "publishers to many subscribers each, at a rate")

    @OptionGroup var options: Options
    @OptionGroup var beside: BackgroundOptions
    @OptionGroup var shared: SharedLoadOptions

    @Option(help: "messages published per second, over all publishers")
    var rate = 1_000.0

    @Option(help: "subscribers of each publisher, each with a connection of its own")
    var subscribers = 50

    @Option(help: "publishers, each with subscribers of its own")
    var publishers = 1

    func validate() throws {
        guard subscribers > 0, publishers > 0 else {
            throw ValidationError("--subscribers and --publishers must be positive")
        }
    }

    func run() throws {
        let turns = try options.makeTurns()
        let payload = unsafe options.makePayload()
        let senders = try (0..<publishers).map { i in
            let subject = "\(shared.prefix).fanout.\(i)"
            for _ in 0..<subscribers { try turns.connect().subscribe(subject) }
            return (link: try turns.connect(), head: options.makeHead(subject))
        }
        let background = try beside.make(turns)
        try turns.barrier()
        let run = PacedRun(
            turns: turns, options: options, background: background, rate: rate,
            copies: subscribers, inFlight: shared.inFlight, lanes: publishers,
            linksPerLane: subscribers + 1)
        let report = try run.run { k, due in
            let (link, head) = senders[k % publishers]
            unsafe link.send(head.bytes, head.count, due: due, payload, options.size)
            turns.markDirty(link)
        } arrives: { _, message, _ in
            message.dueMoment
        }
        options.print(
            report, workload: "fanout",
            details: [("subscribers", subscribers), ("publishers", publishers)])
    }
}
