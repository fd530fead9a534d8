import CLoadSystem
import Glibc

/// All links of a run and the epoll that watches them: one thread, one loop.
@safe final class Turns {
    private let poller: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private static let eventsMax: Int32 = 256
    private(set) var links: [Link] = []
    private var dirty: [Link] = []
    private let address: ServerAddress

    init(_ address: ServerAddress) throws {
        self.address = address
        poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        unsafe events = .allocate(capacity: Int(Self.eventsMax))
        guard poller >= 0 else { throw LoadFailure.system("epoll_create1") }
    }

    /// A connection that has told the server who it is.
    func connect() throws -> Link {
        let link = try Link(address, index: links.count)
        links.append(link)
        dirty.reserveCapacity(links.count)
        try watch(link, EPOLL_CTL_ADD)
        link.send("CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"martlet-load\"}\r\n")
        return link
    }

    private func watch(_ link: Link, _ change: Int32) throws {
        var wanted = UInt32(EPOLLIN.rawValue)
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
            if !link.isBlocked { try flush(link) }
        }
        dirty.removeAll(keepingCapacity: true)
    }

    private func flush(_ link: Link) throws {
        let wasBlocked = link.isBlocked
        try link.flush()
        if link.isBlocked != wasBlocked { try watch(link, EPOLL_CTL_MOD) }
    }

    /// Waits for at most so many nanoseconds, and hands over what has come, with its moment.
    @inline(__always)
    func receive(
        waiting nanoseconds: UInt64, _ received: (Link, Message, UInt64) throws -> Void
    ) throws {
        let count = unsafe load_poll_wait(poller, events, Self.eventsMax, Int64(nanoseconds))
        for i in 0..<max(0, Int(count)) {
            let link = links[Int(unsafe load_event_token(events + i))]
            if unsafe events[i].events & UInt32(EPOLLOUT.rawValue) != 0 { try flush(link) }
            let now = nanosecondsNow()
            try link.receive { try received(link, $0, now) }
            if link.pendingBytes > 0 { markDirty(link) }
        }
    }

    /// Returns when the server has handled all that these links have sent.
    func barrier() throws {
        let wanted = links.map { $0.pongs + 1 }
        for link in links {
            link.send("PING\r\n")
            markDirty(link)
        }
        let deadline = nanosecondsNow() + 10_000_000_000
        while zip(links, wanted).contains(where: { $0.pongs < $1 }) {
            try flush()
            try receive(waiting: 10_000_000) { _, _, _ in }
            guard nanosecondsNow() < deadline else { throw LoadFailure("no PONG within 10 s") }
        }
    }

    deinit {
        close(poller)
        unsafe events.deallocate()
    }
}
