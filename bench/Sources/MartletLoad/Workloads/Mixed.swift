import ArgumentParser

/// Small messages, which are measured, while large ones go between two other connections.
struct Mixed: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mixed", abstract: "small messages at a rate, with large ones beside them")

    @OptionGroup var options: Options
    @OptionGroup var beside: BackgroundOptions

    @Option(help: "small messages per second, over all pairs")
    var rate = 20_000.0

    @Option(help: "publishers of small messages, with one subscriber each")
    var pairs = 4

    @Option(help: "bytes of a large payload")
    var large = 1 << 20

    @Option(help: "small messages between two large ones; 0 sends none of those")
    var largeEvery = 1_000

    func validate() throws {
        guard large > options.size, largeEvery >= 0 else {
            throw ValidationError("--large must be more than --size")
        }
    }

    func run() throws {
        let turns = try options.makeTurns()
        let payload = unsafe options.makePayload()
        let largePayload = unsafe options.makePayload(large)
        var publishers: [(link: Link, head: Head)] = []
        for i in 0..<pairs {
            try turns.connect().subscribe("bench.small.\(i)")
            publishers.append((try turns.connect(), options.makeHead("bench.small.\(i)")))
        }
        let largeSubscriber = try turns.connect()
        largeSubscriber.subscribe("bench.large")
        let largePublisher = try turns.connect()
        let largeHead = Head(options.wire, subject: "bench.large", payloadBytes: large)
        let background = try beside.make(turns)
        try turns.barrier()
        let run = PacedRun(turns: turns, options: options, background: background, rate: rate)
        var largeLatency = Recorder(start: 0, end: .max)
        var report = try run.run { k, due in
            let (link, head) = publishers[k % pairs]
            unsafe link.send(head.bytes, head.count, due: due, payload, options.size)
            turns.markDirty(link)
            guard largeEvery > 0, k % largeEvery == 0 else { return }
            unsafe largePublisher.send(
                largeHead.bytes, largeHead.count, due: due, largePayload, large)
            turns.markDirty(largePublisher)
        } arrives: { link, message, moment in
            guard link === largeSubscriber else { return message.dueMoment }
            largeLatency.recordReceived(due: message.dueMoment, at: moment)
            return nil
        }
        report.add("large_received", largeLatency.received)
        report.add("large_latency_us", largeLatency.latency)
        options.print(report, workload: "mixed", details: [("pairs", pairs), ("large", large)])
    }
}
