import CMartletSystem
import Glibc

/// Where a loop's time comes from: the machine, or a simulation that sets it.
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

    static func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec &* 1_000_000_000 &+ time.tv_nsec)
    }

    /// Nanoseconds that the calling thread has run; a system call, unlike the others.
    @inline(never)
    static func threadNanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// Nanoseconds since 1970, UTC, for what people read.
    static func wallNanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
