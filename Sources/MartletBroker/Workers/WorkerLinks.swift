/// An owner's ways to all workers of a pool, and who waits for room with one of them.
///
/// SAFETY: the owner's thread alone uses it, or whoever comes after that thread has ended.
@safe
struct WorkerLinks<Job: BitwiseCopyable> {
    private let links: UnsafeMutablePointer<WorkerLink<Job>>
    let count: Int
    /// What the links point into belongs to it.
    private let pool: Unmanaged<AnyObject>
    /// Whose next job finds its worker full.
    var waiting = HandleList()

    init(_ all: [WorkerLink<Job>], of pool: AnyObject) {
        precondition(!all.isEmpty, "a pool has a worker")
        count = all.count
        unsafe links = .allocate(capacity: all.count)
        for (index, link) in all.enumerated() { unsafe (links + index).initialize(to: link) }
        unsafe self.pool = .passRetained(pool)
    }

    func destroy() {
        unsafe links.deallocate()
        unsafe pool.release()
        waiting.destroy()
    }

    /// The way to the worker for a key: always the same one, so that jobs of one key keep their order.
    @inline(__always)
    func link(for key: UInt64) -> StablePointer<WorkerLink<Job>> {
        unsafe StablePointer(links + Int(truncatingIfNeeded: key % UInt64(count)))
    }

    /// Whether any worker has as many jobs as it may, or more.
    var isAnyFull: Bool {
        for index in 0..<count where unsafe links[index].isFull { return true }
        return false
    }

    /// Done jobs, so many of each worker at most that the owner gets to its other work meanwhile.
    func results(atMostOfEach most: Int) -> Results { Results(links: self, most: most) }

    /// What workers had not begun when their threads ended, and what nobody has taken from them.
    func takeLeftover() -> Job? {
        for index in 0..<count {
            if let job = unsafe links[index].takeResult() ?? links[index].takeUndone() {
                return job
            }
        }
        return nil
    }

    /// Goes through the workers once.
    struct Results {
        private let links: WorkerLinks
        private let most: Int
        private var index = 0
        private var taken = 0
        /// A worker had as many as it may hand over at once: there may be more.
        private(set) var hasMore = false

        fileprivate init(links: WorkerLinks, most: Int) {
            self.links = links
            self.most = most
        }

        mutating func next() -> Job? {
            while index < links.count {
                if taken < most, let job = unsafe links.links[index].takeResult() {
                    taken &+= 1
                    return job
                }
                if taken == most { hasMore = true }
                index &+= 1
                taken = 0
            }
            return nil
        }
    }
}
