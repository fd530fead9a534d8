import CLoadSystem
import Glibc

/// All links of a run and the epoll that watches them: one thread, one loop.
@safe final class Turns {
    let wire: WireProtocol
    private let poller: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    static let eventsMax: Int32 = 256
    private(set) var links: [Link] = []
    private var dirty: [Link] = []
    private var unfinished: [Link] = []
    private let address: ServerAddress

    init(_ address: ServerAddress) throws {
        self.address = address
        wire = address.wire
        load_wake_precisely()
        poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        unsafe events = .allocate(capacity: Int(Self.eventsMax))
        guard poller >= 0 else { throw LoadFailure.system("epoll_create1") }
    }

    /// A connection that has told the server who it is.
    func connect(_ purpose: Link.Purpose = .load) throws -> Link {
        let link = try Link(address, index: links.count, purpose: purpose)
        links.append(link)
        try watch(link, EPOLL_CTL_ADD)
        markDirty(link)
        return link
    }

    /// A new connection in the place of a background one, which ends.
    func reconnect(_ old: Link) throws -> Link {
        precondition(old.mayClose)
        _ = load_poll_change(poller, EPOLL_CTL_DEL, old.descriptor, 0, 0)
        try old.close(because: LoadFailure("another one takes its place"))
        let link = try Link(address, index: old.index, purpose: old.purpose)
        links[old.index] = link
        try watch(link, EPOLL_CTL_ADD)
        markDirty(link)
        return link
    }

    private func watch(_ link: Link, _ change: Int32) throws {
        let reading = link.purpose == .stopped ? EPOLLRDHUP : EPOLLIN
        var wanted = UInt32(reading.rawValue)
        if link.isBlocked { wanted |= UInt32(EPOLLOUT.rawValue) }
        guard load_poll_change(poller, change, link.descriptor, wanted, UInt32(link.index)) == 0
        else {
            throw LoadFailure.system("epoll_ctl")
        }
    }

    /// The link has something to flush.
    @inline(__always)
    func markDirty(_ link: Link) {
        guard !link.isDirty else { return }
        link.isDirty = true
        dirty.append(link)
    }

    func flush() throws {
        for link in dirty {
            link.isDirty = false
            if link.isBlocked || link.isClosed { continue }
            try flush(link)
            if link.pendingBytes > 0, !link.isBlocked { unfinished.append(link) }
        }
        dirty.removeAll(keepingCapacity: true)
        for link in unfinished { markDirty(link) }
        unfinished.removeAll(keepingCapacity: true)
    }

    private func flush(_ link: Link) throws {
        let wasBlocked = link.isBlocked
        try link.flush()
        if link.isBlocked != wasBlocked { try watch(link, EPOLL_CTL_MOD) }
    }

    /// Waits for at most so many nanoseconds, unless something is still to be flushed, and hands over
    /// what has come, with its moment, for at most so many links; the next call begins with others.
    /// Returns how many had something, and the time waited.
    @inline(__always)
    @discardableResult
    func receive(
        waiting nanoseconds: UInt64, linksMax: Int32 = Turns.eventsMax,
        _ received: (Link, Message, UInt64) throws -> Void
    ) throws -> (linkCount: Int, waited: UInt64) {
        let wait = dirty.isEmpty ? nanoseconds : 0
        let begin = wait > 0 ? nanosecondsNow() : 0
        let most = min(linksMax, Self.eventsMax)
        let count = max(0, Int(unsafe load_poll_wait(poller, events, most, Int64(wait))))
        let waited = wait > 0 ? nanosecondsNow() &- begin : 0
        for i in 0..<count {
            let link = links[Int(unsafe load_event_token(events + i))]
            let happened = unsafe events[i].events
            if link.isClosed { continue }
            if happened & UInt32(EPOLLOUT.rawValue) != 0 { try flush(link) }
            if link.purpose == .stopped {
                if happened & ~UInt32(EPOLLOUT.rawValue) != 0 { try forget(link) }
                continue
            }
            let now = nanosecondsNow()
            if link.purpose == .background {
                try link.receive { _ in }
                if link.isClosed { try forget(link) }
            } else {
                try link.receive { try received(link, $0, now) }
            }
            if link.pendingBytes > 0 { markDirty(link) }
        }
        return (count, waited)
    }

    /// Whoever made the link sees `isClosed` and connects again.
    private func forget(_ link: Link) throws {
        _ = load_poll_change(poller, EPOLL_CTL_DEL, link.descriptor, 0, 0)
        try link.close(because: LoadFailure("the server closed a connection"))
    }

    /// Returns when the server has handled all that these links have sent.
    func barrier() throws {
        let waiting = links.filter { $0.purpose != .stopped && !$0.isClosed }
        let wanted = waiting.map { $0.pongs + 1 }
        for link in waiting {
            link.send(wire.ping)
            markDirty(link)
        }
        let deadline = nanosecondsNow() + 30_000_000_000
        while zip(waiting, wanted).contains(where: { $0.pongs < $1 }) {
            try flush()
            try receive(waiting: 10_000_000) { _, _, _ in }
            guard nanosecondsNow() < deadline else {
                throw LoadFailure("the server has not answered a ping within 30 s")
            }
        }
    }

    deinit {
        close(poller)
        unsafe events.deallocate()
    }
}
