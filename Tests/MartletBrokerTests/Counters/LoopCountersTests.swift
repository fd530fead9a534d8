import Testing

@testable import MartletBroker

@Suite struct LoopCountersTests {
    @Test func countsGoUpAndDown() {
        let counters = LoopCounters()
        counters.connections.add(3)
        counters.connections.add(-1)
        counters.bytesIn.add(1 << 40)
        #expect(counters.connections.total == 2)
        #expect(counters.bytesIn.total == 1 << 40)
        #expect(counters.messagesIn.total == 0)
    }

    @Test func turnsAreCountedByHowLongTheyTook() {
        let counters = LoopCounters()
        for nanoseconds: UInt64 in [0, 1_023, 1_024, 2_047, 2_048, 500_000, 16_777_216, .max >> 1] {
            counters.recordTurn(nanoseconds, at: 1)
        }
        let counts = (0..<TurnHistogram.bucketCount).map { counters.turns[$0].total }
        #expect(counts == [2, 2, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2])
        #expect(counters.longestTurnNanoseconds == .max >> 1)
        // Each bound is the first that no longer counts in its bucket.
        for (i, bound) in TurnHistogram.bounds.enumerated() {
            #expect(TurnHistogram.bucket(of: bound - 1) == i)
            #expect(TurnHistogram.bucket(of: bound) == i + 1)
        }
    }

    @Test("The longest turn of 10 s is forgotten after 10 to 15, that of a minute after 60 to 65")
    func recentTurns() {
        let second: UInt64 = 1_000_000_000
        let counters = LoopCounters()
        let start = 100 * second
        counters.recordTurn(7, at: start)
        counters.recordTurn(900, at: start + second)
        counters.recordTurn(8, at: start + 2 * second)
        func longest(_ seconds: UInt64, at now: UInt64) -> UInt64 {
            counters.recentTurns.longest(ofLast: seconds * second, at: start + now * second)
        }
        #expect(longest(10, at: 2) == 900)
        for now: UInt64 in stride(from: 3, through: 64, by: 1) {
            counters.recordTurn(now, at: start + now * second)
            if now < 11 { #expect(longest(10, at: now) == 900) }
            if now >= 16 { #expect((now - 1...now).contains(longest(10, at: now))) }
            if now < 61 { #expect(longest(60, at: now) == 900) }
        }
        counters.recordTurn(66, at: start + 66 * second)
        #expect(longest(60, at: 66) == 66)
        // Nothing runs for long, and nothing is left.
        #expect(longest(10, at: 82) == 0)
        #expect(longest(60, at: 140) == 0)
        #expect(counters.longestTurnNanoseconds == 900)
    }
}
