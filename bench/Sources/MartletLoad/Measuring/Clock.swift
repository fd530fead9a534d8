import Glibc

/// Nanoseconds since some fixed moment.
@inline(__always)
func nanosecondsNow() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

/// Processor time that this process has used, in nanoseconds.
func processorTime() -> (user: UInt64, system: UInt64) {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func nanoseconds(_ time: timeval) -> UInt64 {
        UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1_000
    }
    return (nanoseconds(usage.ru_utime), nanoseconds(usage.ru_stime))
}
