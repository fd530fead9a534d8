import MartletTestSupport
import Testing

@testable import MartletBroker

/// The promise everything else rests on: a cached route is what a fresh match would be.
@Suite struct MatchCacheTests {
    @Test(arguments: testSeeds(40))
    func isTheTreeUnderRandomChurn(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bench = RoutingBench(seed: random.next())
        // Subjects that are asked again and again, so that their routes are cached when things change.
        let frequent = (0..<30).map { _ in RandomSubject.published(&random) }
        for step in 0..<800 {
            change(bench, &random)
            for _ in 0..<4 {
                let subject =
                    random.oneIn(4) ? RandomSubject.published(&random) : random.pick(frequent)
                let expected = bench.matchedByModel(subject)
                let cached = bench.matchedByCache(subject)
                guard cached == expected else {
                    Issue.record(
                        "seed \(seed), step \(step): \(subject) reaches \(cached), not \(expected)")
                    return
                }
            }
        }
        #expect(bench.hits > 100)
    }

    private func change(_ bench: RoutingBench, _ random: inout SeededRandom) {
        if bench.entries.count > 25 || !bench.entries.isEmpty && random.oneIn(2) {
            bench.unsubscribe(at: random.below(bench.entries.count))
        } else {
            bench.subscribe(
                RandomSubject.filter(&random), queue: random.pick(["", "", "q", "workers"]))
        }
    }

    @Test func repliesToOneInboxNeedOneMatch() {
        let bench = RoutingBench(seed: 3)
        bench.subscribe("_INBOX.me.*")
        for i in 0..<100 { #expect(bench.matchedByCache("_INBOX.me.\(i)").plain == [0]) }
        #expect(bench.misses == 1)
        #expect(bench.hits == 99)
    }

    @Test func aSubscriptionThatTellsLastTokensApartEndsTheParentsRoute() {
        let bench = RoutingBench(seed: 3)
        bench.subscribe("a.*")
        #expect(bench.matchedByCache("a.x").plain == [0])
        bench.subscribe("a.y")
        #expect(bench.matchedByCache("a.x").plain == [0])
        #expect(bench.matchedByCache("a.y").plain == [0, 1])
        bench.unsubscribe(at: 1)
        #expect(bench.matchedByCache("a.y").plain == [0])
        bench.unsubscribe(at: 0)
        #expect(bench.matchedByCache("a.x").plain.isEmpty)
    }

    @Test func anEmptyFirstTokenReachesNobody() {
        let bench = RoutingBench(seed: 3)
        bench.subscribe(">")
        #expect(bench.matchedByCache("foo").plain == [0])
        #expect(bench.matchedByCache(".foo").plain.isEmpty)
        #expect(bench.matchedByCache("foo").plain == [0])
        #expect(bench.matchedByCache(".").plain.isEmpty)
    }

    @Test func moreSubjectsThanItHoldsAreStillRight() {
        let bench = RoutingBench(seed: 9)
        bench.subscribe("s.*.tail")
        bench.subscribe("s.1.tail")
        for round in 0..<2 {
            for i in 0..<12_000 {
                let expected: [UInt32] = i == 1 ? [0, 1] : [0]
                guard bench.matchedByCache("s.\(i).tail").plain == expected else {
                    Issue.record("round \(round): s.\(i).tail")
                    return
                }
            }
        }
    }

    @Test func aChangeLeavesOtherRoutesAlone() {
        let bench = RoutingBench(seed: 11)
        bench.subscribe("orders.new")
        _ = bench.matchedByCache("orders.new")
        let misses = bench.misses
        for i in 0..<50 { bench.subscribe("other\(i).subject") }
        for _ in 0..<50 { _ = bench.matchedByCache("orders.new") }
        // A slot may be shared by chance, not by rule.
        #expect(bench.misses <= misses + 3)
    }

    @Test("subjects that reach the same many subscriptions share a route")
    func sharesWideRoutes() {
        let bench = RoutingBench(seed: 5)
        for _ in 0..<500 { bench.subscribe("a.>", queue: "q") }
        let all = bench.matchedByModel("a.0.x")
        for i in 0..<3_000 {
            guard bench.matchedByCache("a.\(i).x") == all else {
                Issue.record("a.\(i).x")
                return
            }
        }
        // The route, and a parent with each of the subjects.
        #expect(bench.cache.byteCount < 32 << 10 + 3_000 * 64)
        bench.unsubscribe(at: 7)
        #expect(bench.matchedByCache("a.0.x") == bench.matchedByModel("a.0.x"))
        bench.cache.removeAll()
        #expect(bench.cache.byteCount == 0)
    }

    @Test("what does not fit is right all the same, and takes no more than there is")
    func staysWithinItsSize() {
        let bench = RoutingBench(seed: 5, cacheBytesMax: 8 << 10)
        for i in 0..<100 { bench.subscribe("a.*.x\(i % 20)") }
        for _ in 0..<600 { bench.subscribe("b.>", queue: "q") }
        for i in 0..<2_000 {
            for subject in ["a.\(i).x\(i % 20)", "b.\(i % 7).x"] {
                guard bench.matchedByCache(subject) == bench.matchedByModel(subject) else {
                    Issue.record("\(subject)")
                    return
                }
            }
            guard bench.cache.byteCount <= 8 << 10 else {
                Issue.record("\(bench.cache.byteCount) bytes")
                return
            }
        }
    }

    @Test("without memory for a route, it is found for the message at hand")
    func asksTheTreeWithoutMemory() {
        let bench = RoutingBench(seed: 5)
        for _ in 0..<3_000 { bench.subscribe("a.>") }
        bench.budget.reserveAlways(1 << 30)
        for i in 0..<10 {
            #expect(bench.matchedByCache("a.\(i).x") == bench.matchedByModel("a.\(i).x"))
        }
        #expect(bench.hits == 0)
    }

    @Test("a match of thousands of groups does not hold its memory")
    func trimsItsLists() {
        let bench = RoutingBench(seed: 5)
        for i in 0..<9_000 { bench.subscribe("a.>", queue: "q\(i)") }
        #expect(bench.matchedByCache("a.b").groups.count == 9_000)
        #expect(bench.cache.matching.pointee.groups.capacity <= 4_096)
        #expect(bench.cache.matching.pointee.groupTable.capacity <= 4_096)
        bench.subscribe("a.b")
        #expect(bench.matchedByCache("a.b").groups.count == 9_000)
    }

    #if DEBUG
    @Test func givesEverythingBack() {
        let bench = RoutingBench(seed: 5)
        bench.subscribe("a.*", queue: "q")
        bench.subscribe("a.b")
        let before = bench.pool.liveBytes
        for subject in ["a.b", "a.c", "x", "a", "y.z"] { _ = bench.matchedByCache(subject) }
        #expect(bench.pool.liveBytes > before)
        bench.cache.removeAll()
        #expect(bench.pool.liveBytes == before)
        #expect(bench.matchedByCache("a.b") == bench.matchedByModel("a.b"))
    }
    #endif
}
