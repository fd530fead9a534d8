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
            counters.recordTurn(nanoseconds)
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
}
