import CMartletSystem
import Glibc

/// A timer of the kernel's that ends a loop's wait when a deadline comes.
///
/// A wait with a timeout has the kernel set up a timer and take it down again for every event. This one is
/// set when the nearest deadline comes nearer than what it is set for: once at most for each deadline that
/// comes. It is watched edge-triggered, so that nobody needs to read it.
///
/// SAFETY: used by its loop's thread only.
@safe
struct WakeupTimer {
    /// The poller's token of the timer.
    static var token: UInt64 { UInt64.max - 2 }

    private let descriptor: Int32
    /// The moment it will fire; the largest number when it will not.
    private let firesAt = StablePointer(allocating: UInt64.max)

    init(on poller: Poller) throws(SystemFailure) {
        descriptor = martlet_wakeup_timer()
        guard descriptor >= 0 else { throw SystemFailure("timerfd_create") }
        try poller.add(descriptor, token: Self.token, for: [.readable, .onlyNews])
    }

    /// Fires at `deadline`, in nanoseconds of the machine's clock, or before.
    @inline(__always)
    func set(for deadline: UInt64) {
        if deadline < firesAt.pointee { move(to: deadline) }
    }

    @inline(never)
    private func move(to deadline: UInt64) {
        firesAt.pointee = deadline
        // The first nanosecond is long past; zero would switch the timer off.
        martlet_set_wakeup_timer(descriptor, max(1, deadline))
    }

    /// It has fired, and stays disarmed until it is set again.
    func hasFired() { firesAt.pointee = .max }

    func destroy() {
        Glibc.close(descriptor)
        firesAt.destroy()
    }
}
