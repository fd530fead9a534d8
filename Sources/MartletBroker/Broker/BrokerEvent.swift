/// Something that has happened in a broker and that who operates it may want to know.
enum BrokerEvent: Sendable {
    case connection(ConnectionEvent, PeerDescription)
    case loopStalled(LoopStall)
    /// It was stopped, or its machine was.
    case processStoodStill(nanoseconds: UInt64)
    case listening(for: PeerKind, address: String)
    case listeningFailed(for: PeerKind, SystemFailure)
    /// So many clients were turned away since this was recorded last.
    case descriptorsSpent(refused: Int)
    /// So many operations found no memory since this was recorded last.
    case memoryRefused(operations: Int)
    case publishersAwaitMemory(MemoryWait)
    case watchingFailed(SystemFailure)
    /// No thread could be made to check credentials on.
    case checkingFailed(SystemFailure)
    /// A reload has lowered `max_connections`.
    case surplusClosed(count: Int)
    case lameDuckBegins
    case lameDuckClosesClients
}

/// A turn that others had to wait for, and what the loop did in it.
struct LoopStall: Sendable {
    var loop: Int
    var nanoseconds: UInt64
    var events: Int
    var commands: Int
    var deliveries: Int
    /// What took longest in it, and whose that was; empty if nothing took long.
    var mostOfIt = ""
}

/// Connections of a loop that were not read because the memory budget was spent.
struct MemoryWait: Sendable {
    var loop: Int
    /// The most at once since this was recorded last.
    var connections: Int
    var usedBytes: Int
    var bytesMax: Int
}

/// Hears of events, on the thread on which they happen: it must not wait for anything.
protocol EventSink: Sendable {
    func record(_ event: BrokerEvent)
}
