extension BrokerConfiguration {
    /// How loops trade latency, processor time and system calls.
    public struct Tuning: Sendable {
        /// How long a loop looks for events before it sleeps, while the last gaps between events say that one
        /// will come in that time; 0 sleeps at once. Nil is 20 µs where there is a core to spare: four or
        /// more, and two for each loop.
        public var spinNanoseconds: UInt64?
        /// How long output may wait for more to come before it is written; 0 writes at the end of a turn. Nil
        /// lets connections that a message to many has reached wait for up to 200 µs while the loop is busy.
        public var coalesceNanoseconds: UInt64?
        /// How long a loop works for one connection before the others have their turn.
        public var sliceNanoseconds: UInt64 = 200_000
        /// A turn of a loop that takes longer is logged and counted as a stall.
        public var stallThresholdNanoseconds: UInt64 = 5_000_000
        /// What turns of loops are measured by.
        public var turnClock = TurnClock.wall

        /// Looks for events and holds output back as the load asks for it.
        public init() {}
    }

    /// What turns of loops are measured by.
    public enum TurnClock: String, Sendable, CaseIterable {
        /// The time that passes, as whoever waits for the loop sees it.
        case wall
        /// Processor time of the loop's thread: what it does itself, without the time in which it was kept
        /// from running. Costs two system calls a turn.
        case thread
    }
}
