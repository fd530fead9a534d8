import Glibc

/// Memory for what grows with what peers do. Of the addresses that the process may have (`RLIMIT_AS`), it leaves
/// `keptBytes` to everything else: Swift's arrays, strings and objects end the process when they find no memory,
/// so they must not be the first to find none.
enum SystemMemory {
    /// What they grow by between two looks at the limit, and much more.
    static let keptBytes = 32 << 20

    /// Whether the process may grow by so many bytes and have `keptBytes` left.
    static func hasRoom(for byteCount: Int) -> Bool {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
            limit.rlim_cur < UInt64(Int.max), let taken = takenBytes()
        else { return true }
        return taken + byteCount + keptBytes <= Int(limit.rlim_cur)
    }

    /// Zeroed pages, aligned to a power of two; nil when the system has none, or would have too few left.
    static func map(_ byteCount: Int, alignment: Int = 1) -> UnsafeMutableRawPointer? {
        guard hasRoom(for: byteCount + alignment) else { return nil }
        return unsafe mapped(byteCount, alignment: alignment, flags: 0)
    }

    /// Addresses that take no memory until they are touched, at the start, aligned to a power of two.
    static func reserve(_ byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer? {
        unsafe mapped(byteCount, alignment: alignment, flags: MAP_NORESERVE)
    }

    /// Gives pages back. False where only their memory goes: a process has some 65,000 mappings, and a hole in
    /// one makes two of it.
    @discardableResult
    static func giveBack(_ pages: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
        if unsafe munmap(pages, byteCount) == 0 { return true }
        unsafe madvise(pages, byteCount, MADV_DONTNEED)
        return false
    }

    /// What is mapped beyond them for the alignment goes back at once.
    private static func mapped(
        _ byteCount: Int, alignment: Int, flags: Int32
    ) -> UnsafeMutableRawPointer? {
        let wanted = alignment > Int(getpagesize()) ? byteCount + alignment : byteCount
        let pages = unsafe mmap(
            nil, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0)
        guard let pages = unsafe pages, unsafe pages != MAP_FAILED else { return nil }
        guard wanted > byteCount else { return unsafe pages }
        let start = unsafe pages.alignedUp(toMultipleOf: alignment)
        if unsafe start > pages { unsafe munmap(pages, start - pages) }
        let rest = unsafe (pages + wanted) - (start + byteCount)
        if rest > 0 { unsafe munmap(start + byteCount, rest) }
        return unsafe start
    }

    /// -1 where there is no /proc: then only the system's refusal tells.
    private static let statistics = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)

    /// The first number in statm is the size of the address space, in pages.
    private static func takenBytes() -> Int? {
        guard statistics >= 0 else { return nil }
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { text in
            let count = unsafe pread(statistics, text.baseAddress, text.count, 0)
            guard count > 0 else { return nil }
            var pages = 0
            for i in 0..<count {
                let digit = unsafe text[i] &- UInt8(ascii: "0")
                guard digit <= 9 else { break }
                pages = pages &* 10 &+ Int(digit)
            }
            return pages * Int(getpagesize())
        }
    }
}

/// The system has no memory for what was asked: an error of that operation, which leaves everything as it was.
struct OutOfMemory: Error {}
