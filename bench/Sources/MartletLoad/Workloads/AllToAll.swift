import ArgumentParser

/// Clients that publish to one another at random, also to those of other processes.
struct AllToAll: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "random", abstract: "clients that publish to others drawn at random, at a rate"
    )

    @OptionGroup var options: Options
    @OptionGroup var beside: BackgroundOptions
    @OptionGroup var shared: SharedLoadOptions

    @Option(help: "messages per second, over all clients of this process")
    var rate = 20_000.0

    @Option(help: "clients of each process, each with a subject of its own")
    var clients = 16

    @Option(help: "processes that publish to one another; they have the same --prefix")
    var group = 1

    @Option(help: "which of them this is, from 0")
    var member = 0

    func validate() throws {
        guard clients > 0, group > 0, clients * group >= 2, (0..<group).contains(member) else {
            throw ValidationError(
                "--clients times --group must be two or more, and --member less than --group")
        }
    }

    func run() throws {
        let turns = try options.makeTurns()
        let payload = unsafe options.makePayload()
        let first = member * clients
        let links = try (0..<clients).map { i in
            let link = try turns.connect()
            link.subscribe(subject(first + i))
            return link
        }
        let heads = (0..<clients * group).map { options.makeHead(subject($0)) }
        let background = try beside.make(turns)
        try turns.barrier()
        let run = PacedRun(
            turns: turns, options: options, background: background, rate: rate,
            copies: group > 1 ? nil : 1, inFlight: shared.inFlight, lanes: clients, linksPerLane: 1)
        let peers = RandomPeers(clientCount: heads.count, seed: UInt64(member))
        let report = try run.run { k, due in
            let link = links[k % clients]
            let head = heads[peers.peer(of: first + k % clients, message: k)]
            unsafe link.send(head.bytes, head.count, due: due, payload, options.size)
            turns.markDirty(link)
        } arrives: { _, message, _ in
            message.dueMoment
        }
        options.print(
            report, workload: "random",
            details: [("clients", clients), ("group", group), ("member", member)])
    }

    private func subject(_ client: Int) -> String { "\(shared.prefix).random.\(client)" }
}

/// Who gets a message: any client but its sender, as likely as any other, and the same in each run.
struct RandomPeers {
    let clientCount: Int
    let seed: UInt64

    @inline(__always)
    func peer(of sender: Int, message: Int) -> Int {
        let drawn = Int(mix(UInt64(message) &+ seed << 40) % UInt64(clientCount &- 1))
        return drawn < sender ? drawn : drawn &+ 1
    }

    /// SplitMix64: neighbouring numbers lead to unrelated ones.
    @inline(__always)
    private func mix(_ number: UInt64) -> UInt64 {
        var mixed = (number &+ 1) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
