/// Requests whose answers need every loop and take long to make: one at a time, so that they share
/// the processor with the others rather than crowd them out, and a bounded number waits.
struct SlowLane {
    static let waitingMax = 16

    private var running: UInt64?
    private var waiting: [(id: UInt64, request: HTTPRequest)] = []

    /// False when too many wait already.
    mutating func add(_ request: HTTPRequest, id: UInt64) -> Bool {
        guard waiting.count < Self.waitingMax else { return false }
        waiting.append((id, request))
        return true
    }

    /// The next request to answer, if none is being answered; those whose clients are not `present` any
    /// more are dropped.
    mutating func next(present: (UInt64) -> Bool) -> (id: UInt64, request: HTTPRequest)? {
        guard running == nil else { return nil }
        while !waiting.isEmpty {
            let first = waiting.removeFirst()
            guard present(first.id) else { continue }
            running = first.id
            return first
        }
        return nil
    }

    /// An answer has been made.
    mutating func finish(_ id: UInt64) {
        if running == id { running = nil }
    }
}
