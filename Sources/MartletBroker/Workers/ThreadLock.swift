import CMartletSystem
import Glibc

/// A lock whose owner can wait for something to change. For threads; nothing of this waits on a loop.
///
/// SAFETY: the pthread objects are used through this only, and live as long as it does.
@safe
final class ThreadLock: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    func lock() { unsafe pthread_mutex_lock(mutex) }
    func unlock() { unsafe pthread_mutex_unlock(mutex) }
    func wakeOne() { unsafe pthread_cond_signal(condition) }
    func wakeAll() { unsafe pthread_cond_broadcast(condition) }

    func withLock<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    /// Held before and after.
    func wait() { unsafe pthread_cond_wait(condition, mutex) }

    /// Held before and after; false when the time was up.
    func wait(until due: UInt64) -> Bool {
        var deadline = timespec(
            tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
        return unsafe pthread_cond_timedwait(condition, mutex, &deadline) == 0
    }
}
