import Glibc

/// A value behind a lock, for what is shared and rarely touched.
///
/// A pthread mutex rather than `Synchronization.Mutex`: the thread sanitizer understands it, and the
/// allocation tests count it.
///
/// SAFETY: `value` is reached only while the mutex is held; both live as long as this does.
@safe
package struct Guarded<Value>: ~Copyable, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: StablePointer<Value>

    package init(_ value: sending Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        self.value = StablePointer(allocating: value)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
        value.destroy()
    }

    /// Runs `body` with the value while nobody else can reach it. Not to be nested on one value.
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
