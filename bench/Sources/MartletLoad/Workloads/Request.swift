import ArgumentParser
import Glibc

/// Requesters and responders, all of them connections of this process. Every request has a reply
/// subject of its own below its requester's inbox, as client libraries do.
struct Request: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request", abstract: "requests and replies, at a rate or one at a time")

    @OptionGroup var options: Options
    @OptionGroup var beside: BackgroundOptions
    @OptionGroup var shared: SharedLoadOptions

    @Option(
        help: "requests per second, over all requesters; 0 keeps one in flight and nothing more")
    var rate = 20_000.0

    @Option(help: "requesters, with one responder each")
    var pairs = 8

    private typealias Requester = (link: Link, head: Head)

    func validate() throws {
        guard options.wire == .nats else {
            throw ValidationError("only the NATS protocol has requests and replies")
        }
    }

    func run() throws {
        let turns = try options.makeTurns()
        var requesters: [Requester] = []
        for i in 0..<pairs {
            let subject = "\(shared.prefix).request.\(i)"
            let requester = try turns.connect()
            requester.subscribe("_INBOX.load\(getpid()).\(i).*")
            let head = options.makeHead(subject, reply: "_INBOX.load\(getpid()).\(i).")
            requesters.append((requester, head))
            try turns.connect(.responder).subscribe(subject)
        }
        let background = try beside.make(turns)
        try turns.barrier()
        let isOneInFlight = rate == 0 && shared.inFlight == 0
        let report =
            !isOneInFlight
            ? try paced(turns, requesters, background) : try oneInFlight(turns, requesters[0])
        options.print(report, workload: "request", details: [("pairs", isOneInFlight ? 1 : pairs)])
    }

    private func paced(
        _ turns: Turns, _ requesters: [Requester], _ background: Background
    ) throws -> Report {
        let payload = unsafe options.makePayload()
        let responder = Responder(payloadBytes: options.size)
        let run = PacedRun(
            turns: turns, options: options, background: background, rate: rate,
            inFlight: shared.inFlight, lanes: pairs, linksPerLane: 2)
        return try run.run { k, due in
            let (link, head) = requesters[k % pairs]
            head.write(UInt64(k))
            unsafe link.send(head.bytes, head.count, due: due, payload, options.size)
            turns.markDirty(link)
        } arrives: { link, message, _ in
            guard link.purpose == .responder else { return message.dueMoment }
            responder.answer(message, on: link)
            turns.markDirty(link)
            return nil
        }
    }

    /// A closed loop: the next request leaves when the reply to the last one is there.
    private func oneInFlight(_ turns: Turns, _ requester: Requester) throws -> Report {
        let payload = unsafe options.makePayload()
        let responder = Responder(payloadBytes: options.size)
        let begin = nanosecondsNow()
        let (start, end) = options.announce(from: begin)
        var recorder = Recorder(start: start, end: end, windowSeconds: options.window)
        let processorBefore = processorTime()
        var now = nanosecondsNow()
        var k: UInt64 = 0
        while now < end {
            requester.head.write(k)
            k += 1
            unsafe requester.link.send(
                requester.head.bytes, requester.head.count, due: now, payload, options.size)
            turns.markDirty(requester.link)
            recorder.recordSent(due: now, at: now)
            var isAnswered = false
            while !isAnswered {
                try turns.flush()
                try turns.receive(waiting: 0) { link, message, moment in
                    if link.purpose == .responder {
                        responder.answer(message, on: link)
                        return turns.markDirty(link)
                    }
                    recorder.recordReceived(due: message.dueMoment, at: moment)
                    isAnswered = true
                }
                guard nanosecondsNow() < now + 10_000_000_000 else {
                    throw LoadFailure("no reply within 10 s")
                }
            }
            now = nanosecondsNow()
        }
        var report = Report()
        report.add("rate", 0)
        report.add("lost", recorder.sent - recorder.received)
        report.add(recorder)
        report.addProcessorShare(from: processorBefore, over: now - begin)
        return report
    }
}

/// Sends a request's payload back to its reply subject.
///
/// SAFETY: the block holds a line for the longest reply subject that the requesters use.
@safe struct Responder {
    private let line: UnsafeMutablePointer<UInt8>
    private let tail: [UInt8]
    private static let lineBytesMax = 256

    init(payloadBytes: Int) {
        unsafe line = .allocate(capacity: Self.lineBytesMax)
        for (i, byte) in "PUB ".utf8.enumerated() { unsafe line[i] = byte }
        tail = Array(" \(payloadBytes)\r\n".utf8)
    }

    @inline(__always)
    func answer(_ message: Message, on link: Link) {
        let count = writeLine(message)
        unsafe link.send(
            line, count, due: message.dueMoment, message.payload, message.byteCount)
    }

    /// Sends something else, of the size this was made for.
    @inline(__always)
    func answer(
        _ message: Message, with payload: UnsafePointer<UInt8>, _ payloadCount: Int, on link: Link
    ) {
        unsafe link.send(line, writeLine(message), payload, payloadCount)
    }

    /// Everything before a reply's payload; returns how much that is.
    @inline(__always)
    private func writeLine(_ message: Message) -> Int {
        precondition(message.replyCount + tail.count + 4 <= Self.lineBytesMax)
        unsafe memcpy(line + 4, message.reply, message.replyCount)
        for i in 0..<tail.count { unsafe line[4 + message.replyCount + i] = tail[i] }
        return 4 + message.replyCount + tail.count
    }
}
