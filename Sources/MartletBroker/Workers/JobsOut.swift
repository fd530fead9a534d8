/// What one connection has with workers. Whatever it does next keeps its place behind that: it waits
/// until so much is back that it may go on.
struct JobsOut: BitwiseCopyable {
    static let countMax = 64
    static let bytesMax = 1 << 20

    private(set) var count: UInt16 = 0
    private var countToGoOnAt: UInt16 = 0
    private(set) var bytes = 0

    mutating func add(bytes added: Int) {
        count &+= 1
        bytes &+= added
    }

    mutating func remove(bytes removed: Int) {
        assert(count > 0 && bytes >= removed, "more jobs come back than went out")
        count &-= 1
        bytes &-= removed
    }

    /// Whether one more of so many bytes may go out; one always may.
    func hasRoom(forBytes more: Int) -> Bool {
        Int(count) < Self.countMax && (count == 0 || bytes + more <= Self.bytesMax)
    }

    /// It goes on when so many, or fewer, are out.
    mutating func wait(untilOut most: Int) { countToGoOnAt = UInt16(truncatingIfNeeded: most) }

    var mayGoOn: Bool { count <= countToGoOnAt }
}
