/// What one connection has with workers. Whatever it does next keeps its place behind that: it waits
/// until so much is back that it may go on.
struct JobsOut: BitwiseCopyable {
    static let countMax = 64
    static let bytesMax = 1 << 20
    /// About 200 µs: whoever else has messages with the worker waits no longer for each connection.
    static let stepsMax = 64 << 10

    private(set) var count: UInt16 = 0
    private var countToGoOnAt: UInt16 = 0
    private(set) var bytes = 0
    /// What its jobs have taken of late, in steps of rules each.
    private(set) var stepsPerJob = 0

    mutating func add(bytes added: Int) {
        count &+= 1
        bytes &+= added
    }

    mutating func remove(bytes removed: Int, steps: Int) {
        stepsPerJob = (3 &* stepsPerJob &+ steps) / 4
        assert(count > 0 && bytes >= removed, "more jobs come back than went out")
        count &-= 1
        bytes &-= removed
    }

    /// Whether one more of so many bytes may go out; one always may.
    func hasRoom(forBytes more: Int) -> Bool {
        guard count > 0 else { return true }
        return Int(count) < Self.countMax && bytes + more <= Self.bytesMax
            && (Int(count) + 1) * stepsPerJob <= Self.stepsMax
    }

    /// It goes on when so many, or fewer, are out.
    mutating func wait(untilOut most: Int) { countToGoOnAt = UInt16(truncatingIfNeeded: most) }

    var mayGoOn: Bool { count <= countToGoOnAt }
}
