/// The connections that were closed last, as monitoring shows them: so many, and of so many bytes, that the
/// oldest go for new ones.
struct ClosedConnections {
    /// The oldest first, so many in each: none is copied to make room for one more, which with 10,000 takes
    /// 7 ms. Those in front of `first` are gone.
    private var blocks: [[ConnectionSnapshot]] = []
    private var first = 0
    private var count = 0
    private(set) var byteCount = 0

    private static let blockCount = 256
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
        if blocks.last.map({ $0.count == Self.blockCount }) ?? true {
            blocks.append([])
            blocks[blocks.count - 1].reserveCapacity(Self.blockCount)
        }
        blocks[blocks.count - 1].append(snapshot)
        count += 1
    }

    /// The oldest first.
    var all: [ConnectionSnapshot] { Array(blocks.joined().dropFirst(first)) }

    private mutating func takeMemory(_ wanted: Int) -> Bool {
        while !SystemMemory.hasRoom(for: wanted) || !budget.reserve(wanted) {
            guard count > 0 else { return false }
            removeOldest()
        }
        return true
    }

    private mutating func removeOldest() {
        let freed = blocks[0][first].byteCount
        blocks[0][first] = ConnectionSnapshot()
        first += 1
        count -= 1
        byteCount -= freed
        budget.release(freed)
        guard first == blocks[0].count else { return }
        blocks.removeFirst()
        first = 0
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
