import Glibc

/// Sends messages at the moments they are due, whether or not earlier ones have arrived, so that a
/// server which stops for a while is charged for all that it delayed.
struct PacedRun {
    let turns: Turns
    let options: Options
    let background: Background
    let rate: Double
    /// How often each message is received; nil where other processes get some, and send to this one.
    var copies: Int? = 1
    /// Messages that each lane keeps under way, as a closed loop without a rate; 0 keeps the rate.
    var inFlight = 0
    /// Senders that do not wait for one another, each with so many links in a row.
    var lanes = 1
    var linksPerLane = Int.max

    /// Sleeping is left this early, because waking up takes its time.
    private static let spinNanoseconds: UInt64 = 80_000
    /// Messages sent before the links are read again.
    private static let sendsPerTurn = 128
    /// Links read before the next message may be due; many of them would make it late.
    private var linksPerTurn: Int32 { rate > 10_000 ? 2 : Turns.eventsMax }
    /// Waited for messages still under way at the end.
    private static let graceNanoseconds: UInt64 = 2_000_000_000
    /// Nothing for so long, and nothing more is to come from other processes.
    private static let quietNanoseconds: UInt64 = 200_000_000

    /// `send` queues message `k`; `arrives` is told of what comes in, and says when that was due, or
    /// nil if it is no arrival.
    func run(
        send: (_ k: Int, _ due: UInt64) -> Void,
        arrives: (Link, Message, UInt64) throws -> UInt64?
    ) throws -> Report {
        if inFlight > 0 { return try runClosed(send: send, arrives: arrives) }
        let begin = try options.beginning() + 1_000_000
        let (measureStart, end) = options.announce(from: begin)
        var recorder = Recorder(
            start: measureStart, end: end, windowSeconds: options.window)
        let interval = 1e9 / rate
        let total = Int(Double(end - begin) / interval)
        let processorBefore = processorTime()
        var work = WorkTime()
        var k = 0
        while true {
            let turn = nanosecondsNow()
            var now = turn
            let first = k
            while k < total, k - first < Self.sendsPerTurn {
                let due = begin + UInt64(Double(k) * interval)
                guard due <= now else { break }
                send(k, due)
                k += 1
            }
            // Late until the write starts: within it, loopback has the receiver run already.
            if k > first { now = nanosecondsNow() }
            for sent in first..<k {
                recorder.recordSent(due: begin + UInt64(Double(sent) * interval), at: now)
            }
            try turns.flush()
            let hadTick = try background.tick(now)
            if k == total, isOver(recorder, end, now) { break }
            let next = k < total ? begin + UInt64(Double(k) * interval) : now + 1_000_000
            let (linkCount, waited) = try turns.receive(
                waiting: sleep(from: now, to: min(next, background.nextTick)),
                linksMax: linksPerTurn
            ) { link, message, moment in
                guard let due = try arrives(link, message, moment) else { return }
                recorder.recordReceived(due: due, at: moment)
            }
            work.addTurn(
                from: turn, to: nanosecondsNow(), waited: waited,
                hadWork: k > first || linkCount > 0 || hadTick)
        }
        return makeReport(recorder, work, from: begin, processorBefore)
    }

    /// Whether all has come that was sent, or will not come any more.
    func isOver(_ recorder: Recorder, _ end: UInt64, _ now: UInt64) -> Bool {
        if now > end + Self.graceNanoseconds { return true }
        guard let copies else {
            return now > max(end, recorder.lastArrival) + Self.quietNanoseconds
        }
        return recorder.received == recorder.sent * copies
    }

    func makeReport(
        _ recorder: Recorder, _ work: WorkTime, from begin: UInt64,
        _ processorBefore: (user: UInt64, system: UInt64)
    ) -> Report {
        var report = Report()
        report.add("rate", inFlight > 0 ? 0 : rate)
        if let copies { report.add("lost", recorder.sent * copies - recorder.received) }
        report.add(recorder)
        if options.histogram {
            report.addCounts("latency_counts", recorder.latency)
            report.addCounts("lateness_counts", recorder.lateness)
        }
        let elapsed = nanosecondsNow() - begin
        report.addProcessorShare(from: processorBefore, over: elapsed)
        report.add(work, over: elapsed)
        background.add(to: &report)
        return report
    }

    @inline(__always)
    private func sleep(from now: UInt64, to next: UInt64) -> UInt64 {
        guard !options.spin, next > now + Self.spinNanoseconds else { return 0 }
        return next - now - Self.spinNanoseconds
    }
}
