import ArgumentParser
import Glibc

/// Requests that carry one document, at a rate, and replies that must be exactly what is expected.
/// The document has no room for the moment it was due, so the number at the end of each request's
/// inbox says which one a reply belongs to.
struct Orders: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders", abstract: "requests with a document from a file, at a rate")

    @OptionGroup var options: Options
    @OptionGroup var beside: BackgroundOptions

    @Option(help: "a file with the payload of every request")
    var document: String

    @Option(help: "a file with the only right reply")
    var expect: String

    @Option(help: "what the requests are published to")
    var subject = "orders.quote"

    @Option(help: "requests per second, over all requesters")
    var rate = 10_000.0

    @Option(help: "connections that send requests")
    var pairs = 8

    @Flag(help: "answer here: one responder for each requester, on subjects of their own")
    var respond = false

    func validate() throws {
        guard options.wire == .nats else {
            throw ValidationError("only the NATS protocol has requests and replies")
        }
        guard rate > 0, pairs > 0 else {
            throw ValidationError("--rate and --pairs must be positive")
        }
    }

    func run() throws {
        var options = options
        let payload = try FileBytes(document)
        let expected = try FileBytes(expect)
        options.size = payload.count
        let turns = try options.makeTurns()
        var requesters: [(link: Link, head: Head)] = []
        for i in 0..<pairs {
            let inbox = "_INBOX.load\(getpid()).\(i)."
            let target = respond ? "\(subject).\(i)" : subject
            let requester = try turns.connect()
            requester.subscribe(inbox + "*")
            requesters.append((requester, options.makeHead(target, reply: inbox)))
            if respond { try turns.connect(.responder).subscribe(target) }
        }
        let background = try beside.make(turns)
        try turns.barrier()
        var flight = OrderFlight(
            count: Int(rate * (options.warmup + options.duration)) + 1, expected: expected)
        let responder = Responder(payloadBytes: expected.count)
        let run = PacedRun(turns: turns, options: options, background: background, rate: rate)
        var report = try run.run { k, due in
            let (link, head) = requesters[k % pairs]
            head.write(UInt64(k))
            flight.leaves(k, due)
            unsafe link.send(head.bytes, head.count, payload.bytes, payload.count)
            turns.markDirty(link)
        } arrives: { link, message, _ in
            guard link.purpose == .responder else { return flight.arrives(message) }
            unsafe responder.answer(message, with: expected.bytes, expected.count, on: link)
            turns.markDirty(link)
            return nil
        }
        report.add("wrong", flight.wrongCount)
        if let example = flight.example { report.add("example", example) }
        options.print(report, workload: "orders", details: [("pairs", pairs)])
    }
}

/// When each request was due, until its reply is there.
struct OrderFlight {
    private var dueMoments: [UInt64]
    private let expected: FileBytes
    private(set) var wrongCount = 0
    /// The first reply that was another one than expected.
    private(set) var example: String?

    init(count: Int, expected: FileBytes) {
        dueMoments = Array(repeating: 0, count: count)
        self.expected = expected
    }

    @inline(__always)
    mutating func leaves(_ k: Int, _ due: UInt64) { dueMoments[k] = due }

    /// When the request was due that this answers; nil for a wrong or a second reply.
    @inline(__always)
    mutating func arrives(_ message: Message) -> UInt64? {
        let isRight =
            unsafe message.byteCount == expected.count
            && memcmp(message.payload, expected.bytes, expected.count) == 0
        let k = message.inboxNumber
        guard isRight, dueMoments.indices.contains(k), dueMoments[k] != 0 else {
            recordWrong(message)
            return nil
        }
        defer { dueMoments[k] = 0 }
        return dueMoments[k]
    }

    private mutating func recordWrong(_ message: Message) {
        wrongCount += 1
        guard example == nil else { return }
        let text = unsafe String(
            decoding: UnsafeBufferPointer(
                start: message.payload, count: min(message.byteCount, 200)), as: UTF8.self)
        example = String(text.map { "\"\\\r\n\t".contains($0) ? "'" : $0 })
    }
}

extension Message {
    /// The digits that end the subject.
    @inline(__always)
    fileprivate var inboxNumber: Int {
        guard var byte = unsafe subject else { return -1 }
        while unsafe byte.pointee != 32 { unsafe byte += 1 }
        var number = 0
        unsafe byte -= Head.digits
        for i in 0..<Head.digits { number = unsafe number &* 10 &+ Int(byte[i] &- 48) }
        return number
    }
}
