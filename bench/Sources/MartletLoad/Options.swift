import ArgumentParser
import Glibc

/// What every workload needs to know.
struct Options: ParsableArguments {
    @Option(help: "IPv4 address of the server")
    var host = "127.0.0.1"

    @Option(help: "its port")
    var port: UInt16 = 4222

    @Option(help: "what it speaks: nats, redis or mqtt")
    var wire = WireProtocol.nats

    @Option(help: "bytes of a payload, at least 8")
    var size = 16

    @Option(help: "seconds before anything counts")
    var warmup = 1.0

    @Option(help: "seconds that count")
    var duration = 5.0

    @Option(help: "report latency also by windows of so many seconds; 0 does not")
    var window = 0.0

    @Flag(help: "never sleep between messages; for a core of its own")
    var spin = false

    @Flag(
        help: "say when all is connected, and begin at the moment that a line of input then names")
    var hold = false

    @Flag(help: "report how often each latency and lateness was seen, in nanoseconds")
    var histogram = false

    @Option(help: "TCP congestion control of the sockets; empty leaves the machine's")
    var congestion = "cubic"

    func validate() throws {
        guard (8...(64 << 20)).contains(size) else {
            throw ValidationError("--size must be 8 bytes to 64 MiB")
        }
        guard warmup >= 0, duration > 0 else {
            throw ValidationError("--duration must be positive")
        }
        guard window == 0 || (window >= 0.1 && duration / window <= 10_000) else {
            throw ValidationError("--window must be 0.1 s or more, and at most 10,000 of them")
        }
    }

    func makeTurns() throws -> Turns {
        try Turns(ServerAddress(host: host, port: port, congestion: congestion, wire: wire))
    }

    func makeHead(_ subject: String, reply: String? = nil) -> Head {
        Head(wire, subject: subject, reply: reply, payloadBytes: size)
    }

    /// What is sent, but for the due moment at its start.
    func makePayload(_ byteCount: Int? = nil) -> UnsafeMutablePointer<UInt8> {
        let count = byteCount ?? size
        let payload = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
        for i in 0..<count { unsafe payload[i] = UInt8(97 + i % 26) }
        return unsafe payload
    }

    /// When to begin: now, or together with others. Those who hold say that they are ready, and are told
    /// a moment in nanoseconds of CLOCK_MONOTONIC when all others are ready too.
    func beginning() throws -> UInt64 {
        guard hold else { return nanosecondsNow() }
        Swift.print("{\"ready\":true}")
        fflush(nil)
        guard let line = readLine(), let moment = UInt64(line) else {
            throw LoadFailure("no moment to begin at was named")
        }
        let now = nanosecondsNow()
        guard now < moment + 1_000_000_000 else {
            throw LoadFailure("the moment to begin at is over a second ago")
        }
        if moment > now { usleep(UInt32(clamping: (moment - now) / 1_000)) }
        return moment
    }

    /// When the part that counts starts and ends. Says so at once, as a line of JSON in nanoseconds of
    /// CLOCK_MONOTONIC, so that others can look at the server at the same moments.
    func announce(from begin: UInt64) -> (start: UInt64, end: UInt64) {
        let start = begin + UInt64(warmup * 1e9)
        let end = start + UInt64(duration * 1e9)
        Swift.print("{\"begin_ns\":\(begin),\"start_ns\":\(start),\"end_ns\":\(end)}")
        fflush(nil)
        return (start, end)
    }

    /// Prints the report with what was asked for in front.
    func print(_ report: Report, workload: String, details: [(String, Int)]) {
        var all = Report()
        all.add("workload", workload)
        for (name, value) in details { all.add(name, value) }
        all.add("wire", wire.rawValue)
        all.add("size", size)
        all.add("congestion", congestion)
        Swift.print(all.json.dropLast() + "," + report.json.dropFirst())
    }
}
