import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

@Suite("Observers of interest", .timeLimit(.minutes(2)))
struct InterestObserverTests {
    struct Interest: Hashable, CustomStringConvertible {
        var subject: String
        var queue = ""

        var description: String { queue.isEmpty ? subject : "\(subject) in \(queue)" }
    }

    /// Adds up what it hears, and notes each sum that cannot be.
    final class Sums: InterestObserver {
        private struct State {
            var sums: [Interest: Int] = [:]
            var changes = 0
            var impossible: [String] = []
        }

        private let state = Guarded(State())

        func interestChanged(_ change: InterestChange) {
            let interest = Interest(
                subject: text(change.subject, change.subjectCount),
                queue: text(change.queue, change.queueCount))
            state.withLock { state in
                state.changes += 1
                let sum = state.sums.removeValue(forKey: interest) ?? 0
                switch sum + change.difference {
                case 1: state.sums[interest] = 1
                case 0: break
                case let wrong: state.impossible.append("\(interest): \(wrong)")
                }
                if abs(change.difference) != 1 { state.impossible.append("\(change)") }
            }
        }

        /// Where the sum is 1.
        var present: Set<Interest> { state.withLock { Set($0.sums.keys) } }
        var changes: Int { state.withLock { $0.changes } }
        var impossible: [String] { state.withLock { $0.impossible } }
    }

    @Test("hear of the first and of the last subscription of a subject and queue, and of no other")
    func firstAndLast() {
        let bench = RoutingBench(seed: 1)
        let sums = Sums()
        bench.space.pointee.add(sums)
        for _ in 0..<3 { bench.subscribe("a.*") }
        for queue in ["q", "r", "q"] { bench.subscribe("a.*", queue: queue) }
        #expect(sums.changes == 3)
        #expect(
            sums.present == [
                Interest(subject: "a.*"), Interest(subject: "a.*", queue: "q"),
                Interest(subject: "a.*", queue: "r"),
            ])
        for _ in 0..<2 { bench.unsubscribe(at: 0) }
        #expect(sums.changes == 3)
        while !bench.entries.isEmpty { bench.unsubscribe(at: 0) }
        #expect(sums.changes == 6 && sums.present.isEmpty && sums.impossible.isEmpty)
    }

    @Test("hear first of what there is, and nothing once they are removed", arguments: testSeeds(5))
    func addedLater(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bench = RoutingBench(seed: seed)
        let tokens = ["a", "b", "*", "a-long-token", "c"]
        func change() {
            if bench.entries.count > 40 || random.below(3) == 0, !bench.entries.isEmpty {
                return bench.unsubscribe(at: random.below(bench.entries.count))
            }
            let count = 1 + random.below(4)
            let parts = (0..<count).map { _ in tokens[random.below(tokens.count)] }
            let tail = random.below(5) == 0 ? [">"] : []
            bench.subscribe(
                (parts + tail).joined(separator: "."), queue: ["", "", "q", "r"][random.below(4)])
        }
        func present() -> Set<Interest> {
            Set(bench.entries.map { Interest(subject: $0.subject, queue: $0.queue) })
        }
        let (early, late) = (Sums(), Sums())
        bench.space.pointee.add(early)
        for _ in 0..<500 { change() }
        bench.space.pointee.add(late)
        #expect(late.present == present() && late.changes == late.present.count, "seed \(seed)")
        for _ in 0..<500 { change() }
        #expect(late.present == present() && early.present == present(), "seed \(seed)")
        bench.space.pointee.remove(late)
        let heard = late.changes
        for _ in 0..<100 { change() }
        #expect(late.changes == heard && early.present == present(), "seed \(seed)")
        #expect(early.impossible + late.impossible == [], "seed \(seed)")
    }

    @Test("add up exactly while clients of four loops subscribe, unsubscribe and leave")
    func churnFromFourLoops() throws {
        var seeds = SeededRandom(printedFor: "churnFromFourLoops")
        let seed = seeds.next()
        let broker = try TestBroker(loops: 4)
        let space = broker.broker.shared.accounts.global.space
        let (early, late) = (Sums(), Sums())
        space.pointee.add(early)
        // Two clients a loop; the first of each leaves with what it has.
        let clients = try broker.clients(8)
        let left = Guarded<Set<Interest>>([])
        try onThreads(8) { i in
            var random = SeededRandom(seed: seed &+ UInt64(i))
            var open: [Interest?] = Array(repeating: nil, count: 6)
            for step in 0..<1_500 {
                if i == 0, step == 700 { space.pointee.add(late) }
                let sid = random.below(open.count)
                if open[sid] == nil {
                    let interest = Interest(
                        subject: ["a", "b.c", "b.*", "d.>", "e.f.g"][random.below(5)],
                        queue: ["", "q", "r"][random.below(3)])
                    let queue = interest.queue.isEmpty ? "" : " \(interest.queue)"
                    try clients[i].send("SUB \(interest.subject)\(queue) \(sid)\r\n")
                    open[sid] = interest
                } else {
                    try clients[i].send("UNSUB \(sid)\r\n")
                    open[sid] = nil
                }
                if step % 50 == 0 { _ = try clients[i].barrier() }
            }
            _ = try clients[i].barrier()
            if i < 4 { return clients[i].close() }
            left.withLock { $0.formUnion(open.compactMap { $0 }) }
        }
        let expected = left.withLock { $0 }
        #expect(eventually { early.present == expected }, "seed \(seeds.seed)")
        #expect(late.present == expected, "seed \(seeds.seed)")
        #expect(early.impossible + late.impossible == [], "seed \(seeds.seed)")
        #expect(early.changes > 100 && late.changes > 100)
        for client in clients[4...] { client.close() }
        #expect(eventually { early.present.isEmpty && late.present.isEmpty })
    }
}
