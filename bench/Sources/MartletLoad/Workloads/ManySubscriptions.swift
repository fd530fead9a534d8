import ArgumentParser

/// Many subscriptions on few connections, three in ten of them with a wildcard. Each message goes to
/// exactly one of them, and messages walk over all of them, so that nothing is found in a cache.
struct ManySubscriptions: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "many", abstract: "messages among many subscriptions, at a rate")

    @OptionGroup var options: Options
    @OptionGroup var beside: BackgroundOptions

    @Option(help: "messages per second")
    var rate = 50_000.0

    @Option(help: "subscriptions")
    var subscriptions = 100_000

    @Option(help: "connections that hold them, with one publisher each")
    var pairs = 8

    /// Coprime to any number of subscriptions that is not its multiple.
    private static let stride = 7_919
    /// Subscriptions between two looks at whether the server keeps up.
    private static let batch = 5_000

    func validate() throws {
        guard subscriptions > 0, subscriptions % Self.stride != 0 else {
            throw ValidationError("--subscriptions must not be a multiple of \(Self.stride)")
        }
    }

    func run() throws {
        let turns = try options.makeTurns()
        let payload = unsafe options.makePayload()
        let subscribers = try (0..<pairs).map { _ in try turns.connect() }
        let publishers = try (0..<pairs).map { _ in try turns.connect() }
        for i in 0..<subscriptions {
            subscribers[i % pairs].subscribe(filter(i), number: i)
            turns.markDirty(subscribers[i % pairs])
            if i % Self.batch == Self.batch - 1 { try turns.barrier() }
        }
        let heads = (0..<subscriptions).map { options.makeHead("bench.many.\($0).price") }
        let background = try beside.make(turns)
        try turns.barrier()
        let run = PacedRun(turns: turns, options: options, background: background, rate: rate)
        let report = try run.run { k, due in
            let head = heads[k &* Self.stride % subscriptions]
            let link = publishers[k % pairs]
            unsafe link.send(head.bytes, head.count, due: due, payload, options.size)
            turns.markDirty(link)
        } arrives: { _, message, _ in
            message.dueMoment
        }
        options.print(
            report, workload: "many",
            details: [("subscriptions", subscriptions), ("pairs", pairs)])
    }

    private func filter(_ i: Int) -> String {
        switch i % 10 {
        case 0: "bench.many.\(i).*"
        case 1: "bench.many.\(i).>"
        case 2: "bench.*.\(i).price"
        default: "bench.many.\(i).price"
        }
    }
}
