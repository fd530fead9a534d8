import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct SubjectTreeTests {
    @Test(arguments: testSeeds(20))
    func matchesWhatANaiveListMatches(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bench = RoutingBench(seed: random.next())
        for step in 0..<600 {
            change(bench, &random)
            let subject = RandomSubject.published(&random)
            let expected = bench.matchedByModel(subject)
            guard bench.matchedByTree(subject) == expected else {
                Issue.record(
                    "seed \(seed), step \(step): \(subject) matches \(bench.matchedByTree(subject)), not \(expected)"
                )
                return
            }
        }
        while !bench.entries.isEmpty { bench.unsubscribe(at: random.below(bench.entries.count)) }
        #expect(bench.space.pointee.contents.pointee.tree.subscriptionCount == 0)
        #expect(bench.matchedByTree("a.b") == .init())
        #if DEBUG
        #expect(
            bench.space.pointee.contents.pointee.tree.liveBytes == 0,
            "seed \(seed): nodes were left")
        #endif
    }

    private func change(_ bench: RoutingBench, _ random: inout SeededRandom) {
        if bench.entries.count > 60 || !bench.entries.isEmpty && random.oneIn(3) {
            bench.unsubscribe(at: random.below(bench.entries.count))
        } else {
            bench.subscribe(
                RandomSubject.filter(&random), queue: random.pick(["", "", "", "q", "workers"]))
        }
    }

    @Test func manyChildrenOfOneNodeComeAndGo() {
        let bench = RoutingBench(seed: 7)
        for i in 0..<2_000 { bench.subscribe("x.\(i)") }
        for i in stride(from: 0, to: 2_000, by: 7) {
            #expect(bench.matchedByTree("x.\(i)").plain == [UInt32(i)])
        }
        while bench.entries.count > 10 { bench.unsubscribe(at: bench.entries.count / 2) }
        for entry in bench.entries {
            #expect(bench.matchedByTree(entry.subject) == bench.matchedByModel(entry.subject))
        }
    }

    @Test func aGroupOnSeveralFiltersIsOneGroup() {
        let bench = RoutingBench(seed: 1)
        bench.subscribe("a.*", queue: "q")
        bench.subscribe("a.b", queue: "q")
        bench.subscribe(">", queue: "q")
        bench.subscribe("a.b", queue: "other")
        #expect(bench.matchedByTree("a.b").groups == ["q": [0, 1, 2], "other": [3]])
    }

    @Test(arguments: testSeeds(10))
    func hundredsOfGroupsComeAndGo(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bench = RoutingBench(seed: random.next())
        let filters = ["a.b", "a.*", "a.>", ">"]
        for step in 0..<3_000 {
            // Grows over the size from which names are found by hash, and shrinks below it again.
            let wanted = (step / 500).isMultiple(of: 2) ? 400 : 3
            if bench.entries.count > wanted || !bench.entries.isEmpty && random.oneIn(4) {
                bench.unsubscribe(at: random.below(bench.entries.count))
            } else {
                bench.subscribe(random.pick(filters), queue: "q\(random.below(150))")
            }
            guard step.isMultiple(of: 50) else { continue }
            #expect(
                bench.matchedByTree("a.b") == bench.matchedByModel("a.b"),
                "seed \(seed), step \(step)")
        }
        while !bench.entries.isEmpty { bench.unsubscribe(at: random.below(bench.entries.count)) }
        #if DEBUG
        #expect(
            bench.space.pointee.contents.pointee.tree.liveBytes == 0,
            "seed \(seed): tables or names were left")
        #endif
    }

    /// A control line may be a megabyte long: nothing may recurse over its tokens.
    @Test func aSubjectOfHundredThousandTokensNeedsNoStack() throws {
        let bench = RoutingBench(seed: 3)
        let count = 100_000
        let any = Array(repeating: "*", count: count).joined(separator: ".")
        let subject = Array(repeating: "a", count: count).joined(separator: ".")
        let found = Guarded<[RoutingBench.Matched]>([])
        let confined = UncheckedBench(bench: bench)
        let thread = try NativeThread(name: "small", stackBytes: 128 << 10) {
            confined.bench.subscribe(any)
            confined.bench.subscribe(any, queue: "q")
            let matched = confined.bench.matchedByTree(subject)
            found.withLock { $0 = [matched] }
            while !confined.bench.entries.isEmpty { confined.bench.unsubscribe(at: 0) }
        }
        thread.join()
        #expect(found.withLock { $0 } == [.init(plain: [0], groups: ["q": [1]])])
    }

    private struct UncheckedBench: @unchecked Sendable { let bench: RoutingBench }
}
