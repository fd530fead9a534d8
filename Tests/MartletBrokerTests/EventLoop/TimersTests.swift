import Testing

@testable import MartletBroker

@Suite struct TimersTests {
    @Test(arguments: testSeeds(20))
    func comeInTheirOrder(seed: UInt64) {
        var random = TestRandom(seed)
        let timers = Timers()
        var model: [(deadline: UInt64, index: UInt32)] = []
        var now: UInt64 = 0
        for i in 0..<3_000 {
            if random.below(3) > 0 {
                let deadline = now + UInt64(random.below(1_000))
                timers.add(deadline, SlabHandle(index: UInt32(i), generation: 0))
                model.append((deadline, UInt32(i)))
            } else {
                now += UInt64(random.below(500))
                var due: [UInt32] = []
                var last: UInt64 = 0
                while let handle = timers.popDue(at: now)?.handle {
                    let deadline = model.first { $0.index == handle.index }!.deadline
                    #expect(deadline >= last && deadline <= now, "seed \(seed), step \(i)")
                    last = deadline
                    due.append(handle.index)
                }
                let expected = model.filter { $0.deadline <= now }.map(\.index)
                #expect(
                    Set(due) == Set(expected) && due.count == expected.count,
                    "seed \(seed), step \(i)")
                model.removeAll { $0.deadline <= now }
            }
            #expect(timers.nextDeadline == model.map(\.deadline).min() ?? .max)
        }
        timers.destroy()
    }

    @Test func withoutADeadlineNothingIsDue() {
        let timers = Timers()
        #expect(timers.nextDeadline == .max)
        #expect(timers.popDue(at: .max) == nil)
        timers.destroy()
    }
}
