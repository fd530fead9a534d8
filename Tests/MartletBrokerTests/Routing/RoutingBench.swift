import Glibc
import MartletTestSupport
import Synchronization

@testable import MartletBroker

/// A subject space with subscriptions as a loop makes them, and a naive list of the same beside it.
final class RoutingBench {
    /// What a subject's route comes to, whatever order it stands in.
    struct Matched: Equatable, CustomStringConvertible {
        var plain: [UInt32] = []
        var groups: [String: [UInt32]] = [:]

        var description: String { "\(plain) \(groups)" }
    }

    struct Entry {
        let record: SubscriptionRef
        let tokens: [String]
        let subject: String
        let queue: String
    }

    let space: SubjectSpaceRef
    let counters = StablePointer(allocating: LoopCounters())
    let work = StablePointer(allocating: SliceWork())
    let budget = MemoryBudget(bytesMax: 1 << 30)
    let pool: BlockPool
    let cache: MatchCache
    private var slab: Slab<Subscription>
    /// The last match, with what it cost.
    private(set) var match: SubjectMatch
    private(set) var entries: [Entry] = []

    init(seed: UInt64, cacheBytesMax: Int = 1 << 20) {
        space = StablePointer(allocating: SubjectSpace(budget: budget, seed: seed))
        pool = BlockPool(budget: budget)
        slab = Slab(budget: budget)
        match = SubjectMatch(budget: budget)
        cache = MatchCache(
            loop: 0, pool: pool, budget: budget, bytesMax: cacheBytesMax, counters: counters,
            work: work)
    }

    deinit {
        cache.destroy()
        match.destroy()
        pool.destroy()
        slab.destroy()
        space.destroy()
        counters.destroy()
        work.destroy()
    }

    func subscribe(_ subject: String, queue: String = "") {
        let slot = slab.take { Subscription(index: $0) }!
        let record = slab[slot]
        let names = Array(subject.utf8) + Array(queue.utf8) + Array(" 1 ".utf8)
        record.pointee.subjectCount = UInt32(subject.utf8.count)
        record.pointee.queueCount = UInt32(queue.utf8.count)
        record.pointee.spacedSIDCount = 3
        let block = pool.allocate(names.count)!.assumingMemoryBound(to: UInt8.self)
        block.update(from: names, count: names.count)
        record.pointee.take(names: block)
        let generation = record.pointee.state.load(ordering: .relaxed) >> 2 + 1
        record.pointee.state.store(generation << 2 | 1, ordering: .relaxed)
        try! space.pointee.insert(record)
        entries.append(
            Entry(record: record, tokens: Self.tokens(subject), subject: subject, queue: queue))
    }

    func unsubscribe(at i: Int) {
        let entry = entries[i]
        entries.swapAt(i, entries.count - 1)
        entries.removeLast()
        entry.record.pointee.state.store(
            entry.record.pointee.state.load(ordering: .relaxed) & ~1, ordering: .relaxed)
        space.pointee.remove(entry.record)
        pool.free(entry.record.pointee.names!, entry.record.pointee.nameBytes)
        slab.give(back: Int(entry.record.pointee.index))
    }

    var hits: Int { counters.pointee.cacheHits.total }
    /// Matches in the tree: those that the cache did not save.
    private var contents: StablePointer<SubjectSpace.Contents> { space.pointee.contents }
    var misses: Int { contents.pointee.matches }

    // MARK: Asking

    /// As the subject tree says, without a cache.
    func matchedByTree(_ subject: String) -> Matched {
        var bytes = Array(subject.utf8)
        contents.pointee.tree.match(&bytes, bytes.count, into: &match)
        let shape = contents.pointee.tree.shape(of: &match)!
        guard shape.byteCount > 0 else { return Matched() }
        let block = pool.allocate(shape.byteCount)!
        defer { pool.free(block, shape.byteCount) }
        return Self.describe(contents.pointee.tree.makeRoute(shape, of: &match, in: block))
    }

    /// As a loop asks, through the cache.
    func matchedByCache(_ subject: String) -> Matched {
        Array(subject.utf8).withUnsafeBufferPointer { bytes in
            let subject = CountedBytes(bytes.baseAddress!, bytes.count)
            return Self.describe(cache.route(of: subject, in: space).pointee)
        }
    }

    /// A match that is cut into pieces of `nodesMax` nodes, with whatever happens between two of them.
    func matchedInPieces(
        _ subject: String, nodesMax: Int, meanwhile: () -> Void
    ) -> Matched {
        Array(subject.utf8).withUnsafeBufferPointer { bytes in
            var match = LongMatch(of: CountedBytes(bytes.baseAddress!, bytes.count), in: space)
            while true {
                if let route = try! match.advance(nodesMax: nodesMax, in: cache) {
                    return Self.describe(route.pointee)
                }
                meanwhile()
            }
        }
    }

    /// By comparing each subscription, token by token.
    func matchedByModel(_ subject: String) -> Matched {
        let tokens = Self.tokens(subject)
        guard !tokens.contains("") else { return Matched() }
        var matched = Matched()
        for entry in entries where Self.covers(entry.tokens[...], tokens[...]) {
            let index = entry.record.pointee.index
            if entry.queue.isEmpty {
                matched.plain.append(index)
            } else {
                matched.groups[entry.queue, default: []].append(index)
            }
        }
        matched.plain.sort()
        for name in matched.groups.keys { matched.groups[name]!.sort() }
        return matched
    }

    static func tokens(_ subject: String) -> [String] {
        subject.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    static func covers(_ filter: ArraySlice<String>, _ subject: ArraySlice<String>) -> Bool {
        guard let first = filter.first else { return subject.isEmpty }
        guard let token = subject.first else { return false }
        if first == ">", filter.count == 1 { return true }
        guard first == "*" || first == token else { return false }
        return covers(filter.dropFirst(), subject.dropFirst())
    }

    private static func describe(_ route: Route) -> Matched {
        var matched = Matched()
        for i in 0..<Int(route.plainCount) {
            matched.plain.append(route.destinations[i].subscription.pointee.index)
        }
        matched.plain.sort()
        for g in 0..<Int(route.groupCount) {
            let group = route.groups[g]
            let members = (Int(group.start)..<Int(group.start + group.count)).map {
                route.destinations[$0].subscription.pointee.index
            }
            matched.groups[text(route.name(of: group))] = members.sorted()
        }
        return matched
    }
}

/// Subjects over few tokens, so that random ones meet.
enum RandomSubject {
    static let tokens = ["a", "b", "c", "ab", "_INBOX", "a-rather-long-token-of-a-subject"]

    static func published(_ random: inout SeededRandom) -> String {
        let subject = (0...random.below(4)).map { _ in random.pick(tokens) }.joined(separator: ".")
        switch random.below(40) {
        case 0: return "." + subject
        case 1: return subject + "."
        case 2: return subject + "..a"
        case 3: return subject + ".*"
        case 4: return subject + ".>"
        case 5: return "."
        default: return subject
        }
    }

    static func filter(_ random: inout SeededRandom) -> String {
        var parts = (0...random.below(4)).map { _ in random.oneIn(5) ? "*" : random.pick(tokens) }
        if random.oneIn(6) { parts[parts.count - 1] = ">" }
        return parts.joined(separator: ".")
    }
}
