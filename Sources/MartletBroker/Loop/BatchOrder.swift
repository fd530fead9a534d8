import Synchronization

/// Numbers the batches of all loops, one step a batch. A client that has seen a PONG, or a message, and
/// makes another one publish, has its messages in that order at every subscriber, whatever loops they
/// come from: the later batch has the higher number.
struct BatchOrder: ~Copyable {
    private let last = Atomic<UInt64>(0)

    /// For a batch that is about to be posted.
    func next() -> UInt64 { last.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue }

    /// Whatever had to come before a batch with this number or a lower one has been posted.
    var settled: UInt64 { last.load(ordering: .sequentiallyConsistent) }
}

/// Batches that one loop has posted to another, oldest first, taken and not delivered yet.
///
/// SAFETY: batches in the list belong to the loop that took them, until it gives them back.
@safe
struct ArrivedBatches {
    private(set) var first: BatchRef?
    private var last: BatchRef?

    /// A list, oldest first.
    mutating func append(_ batches: BatchRef?) {
        guard let batches else { return }
        if let last { last.pointee.next = batches } else { first = batches }
        var end = batches
        while let next = end.pointee.next { end = next }
        last = end
    }

    mutating func removeFirst() -> BatchRef? {
        let batch = first
        first = batch?.pointee.next
        if first == nil { last = nil }
        return batch
    }
}
