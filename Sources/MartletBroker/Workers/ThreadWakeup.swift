import CMartletSystem
import Glibc
import Synchronization

/// Wakes a thread that has nothing to do. The thread says that it is about to sleep, looks once more,
/// and sleeps; who brings work leaves it, then looks whether the thread sleeps. Both use sequentially
/// consistent atomics, so one of them sees the other, and nobody makes a system call while it is awake.
final class ThreadWakeup: Wakeable {
    private let isSignalled = Atomic<Bool>(false)
    private let isSleeping = Atomic<Bool>(false)
    private let descriptor: Int32

    init() throws(SystemFailure) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemFailure("eventfd") }
    }

    deinit {
        close(descriptor)
    }

    func wake() {
        isSignalled.store(true, ordering: .sequentiallyConsistent)
        guard isSleeping.load(ordering: .sequentiallyConsistent) else { return }
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }

    /// The thread's: returns when somebody has woken it since the last call.
    func wait() {
        while !isSignalled.exchange(false, ordering: .sequentiallyConsistent) {
            isSleeping.store(true, ordering: .sequentiallyConsistent)
            if !isSignalled.load(ordering: .sequentiallyConsistent) {
                var count: UInt64 = 0
                _ = unsafe read(descriptor, &count, 8)
            }
            isSleeping.store(false, ordering: .sequentiallyConsistent)
        }
    }
}
