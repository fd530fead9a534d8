import ArgumentParser

/// What every workload needs to know.
struct Options: ParsableArguments {
    @Option(help: "IPv4 address of the server")
    var host = "127.0.0.1"

    @Option(help: "its port")
    var port: UInt16 = 4222

    @Option(help: "bytes of a payload, at least 8")
    var size = 16

    @Option(help: "seconds before anything counts")
    var warmup = 1.0

    @Option(help: "seconds that count")
    var duration = 5.0

    @Option(help: "TCP congestion control of the sockets; empty leaves the machine's")
    var congestion = "cubic"

    func validate() throws {
        guard (8...(64 << 20)).contains(size) else {
            throw ValidationError("--size must be 8 bytes to 64 MiB")
        }
        guard warmup >= 0, duration > 0 else {
            throw ValidationError("--duration must be positive")
        }
    }

    func makeTurns() throws -> Turns {
        try Turns(ServerAddress(host: host, port: port, congestion: congestion))
    }

    /// What is sent, but for the due moment at its start.
    func makePayload() -> UnsafeMutablePointer<UInt8> {
        let payload = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        for i in 0..<size { unsafe payload[i] = UInt8(97 + i % 26) }
        return unsafe payload
    }

    /// Prints the report with what was asked for in front.
    func print(_ report: Report, workload: String, details: [(String, Int)]) {
        var all = Report()
        all.add("workload", workload)
        for (name, value) in details { all.add(name, value) }
        all.add("size", size)
        all.add("congestion", congestion)
        Swift.print(all.json.dropLast() + "," + report.json.dropFirst())
    }
}
