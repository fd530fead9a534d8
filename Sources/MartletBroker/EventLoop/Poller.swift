import CMartletSystem
import Glibc

/// What a descriptor is ready for.
struct Readiness: OptionSet, BitwiseCopyable {
    let rawValue: UInt32

    static let readable = Readiness(rawValue: UInt32(EPOLLIN.rawValue))
    static let writable = Readiness(rawValue: UInt32(EPOLLOUT.rawValue))
    /// The peer is gone or the descriptor is broken: reading tells which.
    static let hangUp = Readiness(
        rawValue: UInt32(EPOLLHUP.rawValue | EPOLLERR.rawValue | EPOLLRDHUP.rawValue))
    /// The peer sends nothing more; told to those alone who ask.
    static let endOfInput = Readiness(rawValue: UInt32(EPOLLRDHUP.rawValue))
    /// Edge-triggered: told once for each time it becomes ready.
    static let onlyNews = Readiness(rawValue: UInt32(EPOLLET.rawValue))
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
    private let ready = StablePointer(allocating: Ready())

    /// Of `events`, those that were found and not taken yet.
    private struct Ready {
        var next = 0
        var count = 0
    }

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

    /// Whether a descriptor that was found ready has not been taken yet.
    @inline(__always)
    var hasEvents: Bool { ready.pointee.next < ready.pointee.count }

    /// Finds what is ready, after at most `timeoutMilliseconds` (-1: without end). All that was found
    /// before has been taken.
    @inline(__always)
    func wait(timeoutMilliseconds: Int32) {
        let count = unsafe martlet_poll_wait(
            descriptor, events, Int32(Self.eventsMax), timeoutMilliseconds)
        ready.pointee = Ready(next: 0, count: max(0, Int(count)))
    }

    /// As `wait`, for less than a millisecond: on a kernel without epoll_pwait2 (before 5.11) the rest of
    /// the millisecond is waited too.
    @inline(never)
    func wait(timeoutNanoseconds: UInt64) {
        let count = unsafe martlet_poll_wait_precisely(
            descriptor, events, Int32(Self.eventsMax), timeoutNanoseconds)
        guard count < 0, errno == ENOSYS else {
            ready.pointee = Ready(next: 0, count: max(0, Int(count)))
            return
        }
        wait(timeoutMilliseconds: Int32(clamping: (timeoutNanoseconds + 999_999) / 1_000_000))
    }

    /// The next one that was found ready.
    @inline(__always)
    func takeEvent() -> (token: UInt64, readiness: Readiness)? {
        guard hasEvents else { return nil }
        let event = unsafe events + ready.pointee.next
        ready.pointee.next &+= 1
        return unsafe (martlet_event_token(event), Readiness(rawValue: event.pointee.events))
    }

    func destroy() {
        Glibc.close(descriptor)
        unsafe events.deallocate()
        ready.destroy()
    }
}
