import ArgumentParser
import Glibc

/// As many messages as the server takes. What is under way is bounded by what the subscribers have
/// received, so that no server drops a message or closes a slow consumer.
struct FullRate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "full", abstract: "publishers and subscribers in pairs, as fast as it goes")

    @OptionGroup var options: Options

    @Option(help: "publishers, with one subscriber each")
    var pairs = 1

    @Option(help: "bytes of payload that may be under way for each pair")
    var underWay = 1 << 20

    /// A server that has lost messages is sent new ones after so long without any.
    private static let patienceNanoseconds: UInt64 = 1_000_000_000

    private struct Pair {
        let publisher: Link
        let head: Head
        var sent: UInt64 = 0
        /// One more than the last number that came: what was lost is not waited for.
        var reached: UInt64 = 0
        var received = 0
        var lastReceived: UInt64 = 0
    }

    func validate() throws {
        guard options.size >= 16 else {
            throw ValidationError("--size must be at least 16: a due moment and a number")
        }
    }

    func run() throws {
        let turns = try options.makeTurns()
        let payload = unsafe options.makePayload()
        var pairList: [Pair] = []
        for i in 0..<pairs {
            // A server may still deliver what an earlier process has sent.
            let subject = "bench.full.\(getpid()).\(i)"
            try turns.connect().subscribe(subject)
            let head = options.makeHead(subject)
            pairList.append(Pair(publisher: try turns.connect(), head: head))
        }
        try turns.barrier()
        let begin = nanosecondsNow()
        let (start, end) = options.announce(from: begin)
        let processorBefore = processorTime()
        var work = WorkTime()
        var now = begin
        var countAtStart: Int?
        while now < end {
            var hadWork = false
            for i in pairList.indices {
                let sent = unsafe fill(&pairList[i], payload, now)
                if sent { turns.markDirty(pairList[i].publisher) }
                hadWork = hadWork || sent
            }
            try turns.flush()
            // Links stand in the order subscriber, publisher, subscriber …
            let (linkCount, _) = try turns.receive(waiting: 0) { link, message, moment in
                pairList[link.index / 2].received += 1
                pairList[link.index / 2].lastReceived = moment
                pairList[link.index / 2].reached = message.number + 1
            }
            let turn = now
            now = nanosecondsNow()
            work.addTurn(from: turn, to: now, waited: 0, hadWork: hadWork || linkCount > 0)
            if countAtStart == nil, now >= start {
                countAtStart = pairList.reduce(0) { $0 + $1.received }
            }
        }
        let received = pairList.reduce(0) { $0 + $1.received } - (countAtStart ?? 0)
        let lost = pairList.reduce(0) { $0 + Int($1.reached) - $1.received }
        var report = Report()
        report.add("under_way", underWay)
        report.add("seconds", Double(now - start) / 1e9)
        report.add("received", received)
        report.add("received_per_second", Double(received) * 1e9 / Double(now - start))
        report.add("lost", lost)
        report.add("valid", received > 0)
        report.addProcessorShare(from: processorBefore, over: now - begin)
        report.add(work, over: now - begin)
        options.print(report, workload: "full", details: [("pairs", pairs)])
    }

    /// Queues what may be under way, but not more than 64 KiB beyond what the socket takes.
    @inline(__always)
    private func fill(
        _ pair: inout Pair, _ payload: UnsafeMutablePointer<UInt8>, _ now: UInt64
    ) -> Bool {
        let most = UInt64(max(1, underWay / options.size))
        if pair.sent - pair.reached >= most {
            // From the first look on, not from the start: before, nothing could be late.
            if pair.lastReceived == 0 { pair.lastReceived = now }
            guard now > pair.lastReceived + Self.patienceNanoseconds else { return false }
            pair.reached = pair.sent
            pair.lastReceived = now
        }
        let room =
            max(0, (64 << 10) - pair.publisher.pendingBytes) / (options.size + 32) + 1
        let wanted = min(Int(most - (pair.sent - pair.reached)), room)
        for _ in 0..<wanted {
            unsafe UnsafeMutableRawPointer(payload + 8).storeBytes(of: pair.sent, as: UInt64.self)
            unsafe pair.publisher.send(
                pair.head.bytes, pair.head.count, due: now, payload, options.size)
            pair.sent += 1
        }
        return wanted > 0
    }
}

extension Message {
    /// Which of its publisher's messages this is.
    @inline(__always)
    fileprivate var number: UInt64 {
        unsafe UnsafeRawPointer(payload).loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    }
}
