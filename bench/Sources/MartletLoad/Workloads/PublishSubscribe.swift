import ArgumentParser

/// Pairs of a publisher and a subscriber, each on a subject of its own.
struct PublishSubscribe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pubsub", abstract: "publishers and subscribers in pairs, at a rate")

    @OptionGroup var options: Options
    @OptionGroup var beside: BackgroundOptions
    @OptionGroup var shared: SharedLoadOptions

    @Option(help: "messages per second, over all pairs")
    var rate = 50_000.0

    @Option(help: "publishers, with one subscriber each")
    var pairs = 1

    func run() throws {
        let turns = try options.makeTurns()
        let payload = unsafe options.makePayload()
        var publishers: [(link: Link, head: Head)] = []
        for i in 0..<pairs {
            let subject = "\(shared.prefix).pubsub.\(i)"
            try turns.connect().subscribe(subject)
            publishers.append((try turns.connect(), options.makeHead(subject)))
        }
        let background = try beside.make(turns)
        try turns.barrier()
        let run = PacedRun(
            turns: turns, options: options, background: background, rate: rate,
            inFlight: shared.inFlight, lanes: pairs, linksPerLane: 2)
        let report = try run.run { k, due in
            let (link, head) = publishers[k % pairs]
            unsafe link.send(head.bytes, head.count, due: due, payload, options.size)
            turns.markDirty(link)
        } arrives: { _, message, _ in
            message.dueMoment
        }
        options.print(
            report, workload: "pubsub", details: [("pairs", pairs), ("idle", beside.idle)])
    }
}
