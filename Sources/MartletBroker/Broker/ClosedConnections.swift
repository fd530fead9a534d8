/// The connections that were closed last, as monitoring shows them: so many, and of so many bytes, that the
/// oldest go for new ones.
struct ClosedConnections {
    /// A ring: `count` of them are in use, the oldest at `first`.
    private var ring: [ConnectionSnapshot] = []
    private var first = 0
    private var count = 0
    private(set) var byteCount = 0

    private let bytesMax: Int
    private let budget: MemoryBudget

    /// They may take a 64th of the memory budget, and are a part of it.
    init(budget: MemoryBudget) {
        self.budget = budget
        bytesMax = budget.bytesMax / 64
    }

    mutating func append(_ snapshot: ConnectionSnapshot, keeping limit: Int) {
        let wanted = snapshot.byteCount
        while count > 0, count >= limit || byteCount + wanted > bytesMax { removeOldest() }
        guard limit > 0, byteCount + wanted <= bytesMax, takeMemory(wanted) else { return }
        byteCount += wanted
        if count == ring.count { grow(towards: limit) }
        ring[(first + count) % ring.count] = snapshot
        count += 1
    }

    /// By doubling, so that a storm of connections that end copies each a few times only.
    private mutating func grow(towards limit: Int) {
        let more = max(16, min(limit, 2 * count) - count)
        ring = all + Array(repeating: ConnectionSnapshot(), count: more)
        first = 0
    }

    /// The oldest first.
    var all: [ConnectionSnapshot] { (0..<count).map { ring[(first + $0) % ring.count] } }

    private mutating func takeMemory(_ wanted: Int) -> Bool {
        while !SystemMemory.hasRoom(for: wanted) || !budget.reserve(wanted) {
            guard count > 0 else { return false }
            removeOldest()
        }
        return true
    }

    private mutating func removeOldest() {
        let freed = ring[first].byteCount
        ring[first] = ConnectionSnapshot()
        first = (first + 1) % ring.count
        count -= 1
        byteCount -= freed
        budget.release(freed)
    }
}

extension ConnectionSnapshot {
    /// About what it takes.
    var byteCount: Int {
        let texts = [ip, name, language, version, account, authorizedUser]
        return MemoryLayout<Self>.stride + texts.reduce(0) { $0 + $1.heapBytes }
            + subscriptions.reduce(0) { $0 + $1.byteCount }
    }
}

extension SubscriptionSnapshot {
    fileprivate var byteCount: Int {
        MemoryLayout<Self>.stride + account.heapBytes + subject.heapBytes + sid.heapBytes
            + (queue?.heapBytes ?? 0)
    }
}

extension String {
    /// Short texts stand in the value itself.
    fileprivate var heapBytes: Int { utf8.count > 15 ? utf8.count + 32 : 0 }
}
