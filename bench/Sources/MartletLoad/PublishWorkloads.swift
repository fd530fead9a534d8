import ArgumentParser

/// Pairs of a publisher and a subscriber, each on a subject of its own.
struct PublishSubscribe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pubsub", abstract: "publishers and subscribers in pairs, at a rate")

    @OptionGroup var options: Options

    @Option(help: "messages per second, over all pairs")
    var rate = 50_000.0

    @Option(help: "publishers, with one subscriber each")
    var pairs = 1

    func run() throws {
        let turns = try options.makeTurns()
        let payload = unsafe options.makePayload()
        var publishers: [(link: Link, head: Head)] = []
        for i in 0..<pairs {
            try turns.connect().send("SUB bench.pubsub.\(i) 1\r\n")
            publishers.append(
                (
                    try turns.connect(),
                    Head(subject: "bench.pubsub.\(i)", payloadBytes: options.size)
                ))
        }
        try turns.barrier()
        let run = PacedRun(
            turns: turns, rate: rate, warmUpSeconds: options.warmup, seconds: options.duration,
            copies: 1)
        let report = try run.run { k, due in
            let (link, head) = publishers[k % pairs]
            unsafe link.send(head.bytes, head.count, due: due, payload, options.size)
            turns.markDirty(link)
        } arrives: { _, _ in
            true
        }
        options.print(report, workload: "pubsub", details: [("pairs", pairs)])
    }
}

/// One publisher, many subscribers.
struct FanOut: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fanout", abstract: "one publisher to many subscribers, at a rate")

    @OptionGroup var options: Options

    @Option(help: "messages published per second")
    var rate = 1_000.0

    @Option(help: "subscribers, each with a connection of its own")
    var subscribers = 50

    func run() throws {
        let turns = try options.makeTurns()
        let payload = unsafe options.makePayload()
        for _ in 0..<subscribers { try turns.connect().send("SUB bench.fanout 1\r\n") }
        let publisher = try turns.connect()
        let head = Head(subject: "bench.fanout", payloadBytes: options.size)
        try turns.barrier()
        let run = PacedRun(
            turns: turns, rate: rate, warmUpSeconds: options.warmup, seconds: options.duration,
            copies: subscribers)
        let report = try run.run { _, due in
            unsafe publisher.send(head.bytes, head.count, due: due, payload, options.size)
            turns.markDirty(publisher)
        } arrives: { _, _ in
            true
        }
        options.print(report, workload: "fanout", details: [("subscribers", subscribers)])
    }
}
