// Publishers that wait for memory, in the log.

extension TimerOwner.Kind {
    /// Of the loop itself: those who waited for memory are logged.
    static let memoryWaitLog = TimerOwner.Kind(rawValue: 3)
}

extension BrokerLoop {
    /// So soon after the first one began to wait; how many wait shows by then.
    private static let memoryWaitLogDelayNanoseconds: UInt64 = 1_000_000_000
    private static let memoryWaitLogPauseNanoseconds: UInt64 = 60_000_000_000

    private var memoryWaiters: Int {
        counters.pointee.paused[PauseReasons.memory.index].total
    }

    /// One more connection waits for memory. A line tells of it, at most once a minute.
    @inline(never)
    func recordMemoryWait() {
        if state.pointee.memoryWaitersMost == 0 {
            logMemoryWaits(
                at: max(
                    now &+ Self.memoryWaitLogDelayNanoseconds, state.pointee.memoryWaitLogDueAt))
        }
        state.pointee.memoryWaitersMost = max(state.pointee.memoryWaitersMost, memoryWaiters)
    }

    func logMemoryWaits() {
        shared.events.record(
            .publishersAwaitMemory(
                MemoryWait(
                    loop: index, connections: state.pointee.memoryWaitersMost,
                    usedBytes: shared.budget.usedBytes, bytesMax: shared.budget.bytesMax)))
        state.pointee.memoryWaitLogDueAt = now &+ Self.memoryWaitLogPauseNanoseconds
        state.pointee.memoryWaitersMost = memoryWaiters
        // Who still waits may wait for long without beginning to wait again.
        if memoryWaiters > 0 { logMemoryWaits(at: state.pointee.memoryWaitLogDueAt) }
    }

    private func logMemoryWaits(at deadline: UInt64) {
        events.timers.add(deadline, TimerOwner(kind: .memoryWaitLog, slot: .none))
    }
}
