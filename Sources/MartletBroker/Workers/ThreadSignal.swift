/// Threads wait here for something to change. A signal that comes while nobody waits is kept for one.
///
/// SAFETY: `isRaised` is reached only while the lock is held.
final class ThreadSignal: @unchecked Sendable {
    private let lock = ThreadLock()
    private var isRaised = false

    func raise() {
        lock.withLock { isRaised = true }
        lock.wakeAll()
    }

    /// False when nothing was raised in time.
    @discardableResult
    func wait(atMost nanoseconds: UInt64) -> Bool {
        let due = Clock.monotonicNanoseconds() &+ nanoseconds
        return lock.withLock {
            while !isRaised {
                if !lock.wait(until: due) { break }
            }
            defer { isRaised = false }
            return isRaised
        }
    }
}
