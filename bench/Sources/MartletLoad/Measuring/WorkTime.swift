/// How long the generator had something to do. Its processor time says nothing of that, because it
/// looks for messages all the time rather than wait for a wake-up.
struct WorkTime {
    private(set) var nanoseconds: UInt64 = 0

    /// A turn of the loop counts, less what it waited, if anything was sent or came in.
    @inline(__always)
    mutating func addTurn(from begin: UInt64, to end: UInt64, waited: UInt64, hadWork: Bool) {
        if hadWork { nanoseconds &+= end &- begin &- min(waited, end &- begin) }
    }
}
