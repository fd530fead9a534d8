import ArgumentParser

/// As many messages as the server takes. What is under way is bounded by what the subscribers have
/// received, so that no server drops a message or closes a slow consumer.
struct FullRate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "full", abstract: "publishers and subscribers in pairs, as fast as it goes")

    @OptionGroup var options: Options

    @Option(help: "publishers, with one subscriber each")
    var pairs = 1

    @Option(help: "bytes of payload that may be under way for each pair")
    var window = 1 << 20

    private struct Pair {
        let publisher: Link
        let head: Head
        var sent = 0
        var received = 0
    }

    func run() throws {
        let turns = try options.makeTurns()
        let payload = unsafe options.makePayload()
        var pairList: [Pair] = []
        for i in 0..<pairs {
            try turns.connect().send("SUB bench.full.\(i) 1\r\n")
            let head = Head(subject: "bench.full.\(i)", payloadBytes: options.size)
            pairList.append(Pair(publisher: try turns.connect(), head: head))
        }
        try turns.barrier()
        let windowMessages = max(1, window / options.size)
        let begin = nanosecondsNow()
        let start = begin + UInt64(options.warmup * 1e9)
        let end = start + UInt64(options.duration * 1e9)
        let processorBefore = processorTime()
        var now = begin
        var countAtStart: Int?
        while now < end {
            for i in pairList.indices {
                // Not more than 64 KiB at once beyond what the socket takes.
                let room =
                    max(0, (64 << 10) - pairList[i].publisher.pendingBytes) / (options.size + 32)
                    + 1
                let wanted = min(windowMessages - (pairList[i].sent - pairList[i].received), room)
                guard wanted > 0 else { continue }
                let (link, head) = (pairList[i].publisher, pairList[i].head)
                for _ in 0..<wanted {
                    unsafe link.send(head.bytes, head.count, due: now, payload, options.size)
                }
                pairList[i].sent += wanted
                turns.markDirty(link)
            }
            try turns.flush()
            // Links stand in the order subscriber, publisher, subscriber …
            try turns.receive(waiting: 0) { link, _, _ in pairList[link.index / 2].received += 1 }
            now = nanosecondsNow()
            if countAtStart == nil, now >= start {
                countAtStart = pairList.reduce(0) { $0 + $1.received }
            }
        }
        let received = pairList.reduce(0) { $0 + $1.received } - (countAtStart ?? 0)
        var report = Report()
        report.add("window", window)
        report.add("seconds", Double(now - start) / 1e9)
        report.add("received", received)
        report.add("received_per_second", Double(received) * 1e9 / Double(now - start))
        report.addProcessorShare(from: processorBefore, over: now - begin)
        options.print(report, workload: "full", details: [("pairs", pairs)])
    }
}
