// What a burst has left goes back to the system.

extension TimerOwner.Kind {
    /// Of the loop itself: it looks for memory that nothing uses any more.
    static let unusedMemory = TimerOwner.Kind(rawValue: 2)
}

extension BrokerLoop {
    /// What has lain idle for so long goes: a load that comes and goes faster finds its memory warm. After half a
    /// second, payloads of 40 KB cost up to 11 system calls in 5,000 messages on a busy machine.
    private static let unusedNanoseconds: UInt64 = 10_000_000_000

    /// Looks from time to time while large payloads are in use or their memory lies idle. They may come back from
    /// other loops, or wait for a subscriber, long after the last one was published.
    @inline(__always)
    func lookForUnusedMemory() {
        if !state.pointee.looksForUnusedMemory { startLookingForUnusedMemory() }
    }

    @inline(never)
    private func startLookingForUnusedMemory() {
        state.pointee.looksForUnusedMemory = true
        events.timers.add(
            now &+ Self.unusedNanoseconds, TimerOwner(kind: .unusedMemory, slot: .none))
    }

    func giveBackUnusedMemory() {
        state.pointee.looksForUnusedMemory = false
        returns.collect(into: pool)
        for target in 0..<loopCount where target != index {
            unsafe outgoing[target].pointee.freeReturned(pool)
        }
        if pool.giveBackUnused() || returns.areAnyOut { lookForUnusedMemory() }
    }
}
