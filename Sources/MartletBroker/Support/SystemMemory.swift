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

    /// Zeroed pages of the system's own choice of address; nil when it has none, or would have too few left.
    static func map(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard hasRoom(for: byteCount) else { return nil }
        return unsafe mapped(byteCount, flags: 0)
    }

    /// Addresses that take no memory until they are touched, at the start, aligned to a power of two of at least
    /// a page.
    static func reserve(_ byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer? {
        let wanted = byteCount + alignment
        guard let pages = unsafe mapped(wanted, flags: MAP_NORESERVE) else { return nil }
        let start = unsafe pages.alignedUp(toMultipleOf: alignment)
        let before = unsafe start - pages
        if before > 0 { unsafe munmap(pages, before) }
        unsafe munmap(start + byteCount, alignment - before)
        return unsafe start
    }

    /// From the heap, for `free`, aligned to a power of two of at least a pointer's size.
    static func allocate(_ byteCount: Int, alignment: Int = 64) -> UnsafeMutableRawPointer? {
        guard hasRoom(for: byteCount) else { return nil }
        return unsafe aligned_alloc(alignment, (byteCount + alignment - 1) & ~(alignment - 1))
    }

    private static func mapped(_ byteCount: Int, flags: Int32) -> UnsafeMutableRawPointer? {
        let pages = unsafe mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0)
        return unsafe pages == MAP_FAILED ? nil : pages
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
