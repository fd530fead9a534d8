import CMartletSystem
import Glibc

/// Where a loop's time comes from: the machine, or a simulation that sets it.
///
/// SAFETY: a simulation owns the virtual time and outlives the loops that read it.
@safe
struct Clock {
    /// Nanoseconds of a virtual clock; nil reads the machine's.
    let virtualTime: UnsafeMutablePointer<UInt64>?

    static var machine: Clock { unsafe Clock(virtualTime: nil) }

    /// Nanoseconds since some fixed moment; never goes back.
    @inline(__always)
    func now() -> UInt64 {
        if let virtualTime = unsafe virtualTime { return unsafe virtualTime.pointee }
        return Self.monotonicNanoseconds()
    }

    @inline(__always)
    static func monotonicNanoseconds() -> UInt64 { nanoseconds(of: CLOCK_MONOTONIC) }

    /// Nanoseconds that the calling thread has run; a system call, unlike the others.
    @inline(never)
    static func threadNanoseconds() -> UInt64 { nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) }

    /// Nanoseconds since 1970, UTC, for what people read.
    static func wallNanoseconds() -> UInt64 { nanoseconds(of: CLOCK_REALTIME) }

    @inline(__always)
    private static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec &* 1_000_000_000 &+ time.tv_nsec)
    }
}
