import MartletTestSupport
import Testing

@testable import MartletBroker

/// Matches that go on a piece at a time while subscriptions come and go.
@Suite struct LongMatchTests {
    @Test(arguments: testSeeds(20))
    func findsWhatIsThereAllAlongAndNothingThatIsGone(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bench = RoutingBench(seed: random.next())
        let kept = 40
        for _ in 0..<kept { bench.subscribe(RandomSubject.filter(&random)) }
        for step in 0..<150 {
            let subject = RandomSubject.published(&random)
            let atFirst = Set(bench.matchedByModel(subject).plain)
            let touched = Set(bench.entries[kept...].map { $0.record.pointee.index })
            let found = bench.matchedInPieces(subject, nodesMax: 1 + random.below(3)) {
                for _ in 0..<3 {
                    if bench.entries.count > kept, random.oneIn(2) {
                        bench.unsubscribe(
                            at: kept + random.below(bench.entries.count - kept))
                    } else {
                        bench.subscribe(
                            RandomSubject.filter(&random), queue: random.pick(["", "", "q"]))
                    }
                }
            }
            let plain = Set(found.plain)
            let atLast = Set(bench.matchedByModel(subject).plain)
            guard plain.count == found.plain.count, plain.isSubset(of: atLast),
                atFirst.subtracting(touched).isSubset(of: plain)
            else {
                Issue.record("seed \(seed), step \(step): \(subject) reaches \(found)")
                return
            }
            #expect(bench.matchedByCache(subject) == bench.matchedByModel(subject))
        }
        while !bench.entries.isEmpty { bench.unsubscribe(at: bench.entries.count - 1) }
        bench.cache.removeAll()
        #expect(bench.matchedByTree("a.b") == .init())
        #if DEBUG
        #expect(bench.space.pointee.contents.pointee.tree.liveBytes == 0)
        #endif
    }

    @Test func nodesThatAMatchHasHeldUpArePrunedAfterIt() {
        let bench = RoutingBench(seed: 1)
        for i in 0..<300 { bench.subscribe("a.*.\(i)") }
        #if DEBUG
        let before = bench.space.pointee.contents.pointee.tree.liveBytes
        #endif
        var isFirst = true
        let found = bench.matchedInPieces("a.b.7", nodesMax: 1) {
            guard isFirst else { return }
            isFirst = false
            for i in 0..<200 { bench.subscribe("n.\(i)") }
            for _ in 0..<200 { bench.unsubscribe(at: bench.entries.count - 1) }
        }
        #expect(found.plain == [7])
        // Each change takes a few of them.
        for _ in 0..<20 {
            bench.subscribe("n.1")
            bench.unsubscribe(at: bench.entries.count - 1)
        }
        #if DEBUG
        #expect(bench.space.pointee.contents.pointee.tree.liveBytes == before)
        #endif
    }
}
