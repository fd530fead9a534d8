import Glibc

/// The kernel's table of the process's open files. It grows as descriptors are used, and in a process with
/// threads each step waits until every core has passed a moment of rest: 5 to 30 ms in which whoever
/// accepts a connection stands still.
package enum DescriptorTable {
    /// About as many as a broker uses beside those of its clients.
    static let othersMax = 1_024
    /// A megabyte of the kernel's memory.
    static let countMax = 1 << 17

    /// Makes room for so many connections at once, as far as the process may open them. Without that, for
    /// want of memory or of a descriptor, the table grows when it must.
    package static func makeRoom(forConnections count: Int) {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return
        }
        let wanted = min(count, countMax - othersMax) + othersMax
        let highest = min(wanted, Int(clamping: limit.rlim_cur)) - 1
        let source = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { return }
        defer { close(source) }
        // The lowest free number from this one on: another descriptor that is as high has made the room.
        let placeholder = fcntl(source, F_DUPFD_CLOEXEC, Int32(clamping: highest))
        if placeholder >= 0 { close(placeholder) }
    }
}
