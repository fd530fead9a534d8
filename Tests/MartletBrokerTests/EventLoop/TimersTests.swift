import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct TimersTests {
    /// Owners of three kinds in slots of their own.
    private func owner(_ i: Int) -> TimerOwner {
        TimerOwner(
            kind: TimerOwner.Kind(rawValue: UInt8(i % 3)),
            slot: SlabHandle(index: UInt32(i), generation: UInt32(i / 7)))
    }

    @Test(arguments: testSeeds(20))
    func comeInTheirOrder(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let timers = Timers()
        var model: [(deadline: UInt64, index: UInt32)] = []
        var now: UInt64 = 0
        for i in 0..<3_000 {
            if random.below(3) > 0 {
                let deadline = now + UInt64(random.below(1_000))
                timers.add(deadline, owner(i))
                model.append((deadline, UInt32(i)))
            } else {
                now += UInt64(random.below(500))
                var due: [UInt32] = []
                var last: UInt64 = 0
                while let entry = timers.popDue(at: now) {
                    let index = entry.owner.slot.index
                    let deadline = model.first { $0.index == index }!.deadline
                    #expect(entry.owner == owner(Int(index)), "seed \(seed), step \(i)")
                    #expect(entry.deadline == deadline, "seed \(seed), step \(i)")
                    #expect(deadline >= last && deadline <= now, "seed \(seed), step \(i)")
                    last = deadline
                    due.append(index)
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

    @Test func oneSlotOfTwoKindsHasTwoDeadlines() {
        let timers = Timers()
        let slot = SlabHandle(index: 7, generation: 2)
        let connection = TimerOwner(kind: .connection, slot: slot)
        let other = TimerOwner(kind: TimerOwner.Kind(rawValue: 1), slot: slot)
        timers.add(20, other)
        timers.add(10, connection)
        #expect(timers.popDue(at: 15)?.owner == connection)
        #expect(timers.popDue(at: 15) == nil)
        #expect(timers.popDue(at: 20)?.owner == other)
        timers.destroy()
    }

    @Test func withoutADeadlineNothingIsDue() {
        let timers = Timers()
        #expect(timers.nextDeadline == .max)
        #expect(timers.popDue(at: .max) == nil)
        timers.destroy()
    }
}
