import ArgumentParser

/// What a process needs that loads a server together with others.
struct SharedLoadOptions: ParsableArguments {
    @Option(help: "what the subjects begin with; each of several processes needs its own")
    var prefix = "bench"

    @Option(
        help:
            "messages that each sender keeps under way, and sends the next one when one has come; 0 keeps --rate"
    )
    var inFlight = 0

    func validate() throws {
        guard (0...1_000_000).contains(inFlight) else {
            throw ValidationError("--in-flight must be 0 to 1,000,000")
        }
    }
}
