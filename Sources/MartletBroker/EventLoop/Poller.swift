import CMartletSystem
import Glibc

/// What a descriptor is ready for.
struct Readiness: OptionSet, BitwiseCopyable {
    let rawValue: UInt32

    static let readable = Readiness(rawValue: UInt32(EPOLLIN.rawValue))
    static let writable = Readiness(rawValue: UInt32(EPOLLOUT.rawValue))
    /// The peer is gone or the descriptor is broken: reading tells which.
    static let hangUp = Readiness(rawValue: UInt32(EPOLLHUP.rawValue | EPOLLERR.rawValue))
}

/// Waits for descriptors with epoll, level-triggered: a descriptor that was not read to its end
/// comes back the next turn, so a bounded read needs no memory of what is left.
///
/// SAFETY: used by its loop's thread only.
@safe
struct Poller {
    private static let eventsMax = 256

    private let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>

    init() throws(SystemFailure) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw SystemFailure("epoll_create1") }
        unsafe events = .allocate(capacity: Self.eventsMax)
    }

    func add(_ fd: Int32, token: UInt64, for readiness: Readiness) throws(SystemFailure) {
        guard martlet_poll_change(descriptor, EPOLL_CTL_ADD, fd, readiness.rawValue, token) == 0
        else { throw SystemFailure("epoll_ctl") }
    }

    func change(_ fd: Int32, token: UInt64, to readiness: Readiness) {
        _ = martlet_poll_change(descriptor, EPOLL_CTL_MOD, fd, readiness.rawValue, token)
    }

    func remove(_ fd: Int32) {
        _ = martlet_poll_change(descriptor, EPOLL_CTL_DEL, fd, 0, 0)
    }

    /// The number of ready descriptors, after at most `timeoutMilliseconds` (-1: without end).
    func wait(timeoutMilliseconds: Int32) -> Int {
        unsafe Int(
            max(
                0,
                martlet_poll_wait(
                    descriptor, events, Int32(Self.eventsMax), timeoutMilliseconds)))
    }

    /// As `wait`, for less than a millisecond: on a kernel without epoll_pwait2 (before 5.11) the rest of
    /// the millisecond is waited too.
    @inline(never)
    func wait(timeoutNanoseconds: UInt64) -> Int {
        let count = unsafe martlet_poll_wait_precisely(
            descriptor, events, Int32(Self.eventsMax), timeoutNanoseconds)
        guard count < 0, errno == ENOSYS else { return max(0, Int(count)) }
        return wait(
            timeoutMilliseconds: Int32(clamping: (timeoutNanoseconds + 999_999) / 1_000_000))
    }

    @inline(__always)
    func event(_ i: Int) -> (token: UInt64, readiness: Readiness) {
        unsafe (martlet_event_token(events + i), Readiness(rawValue: events[i].events))
    }

    func destroy() {
        Glibc.close(descriptor)
        unsafe events.deallocate()
    }
}
