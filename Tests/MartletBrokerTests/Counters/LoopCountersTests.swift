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

    @Test func aTurnOverTheThresholdIsAStall() {
        let counters = LoopCounters()
        for nanoseconds: UInt64 in [10, 500, 100, 501, 900, 20] {
            counters.noteTurn(nanoseconds, stallThreshold: 500)
        }
        #expect(counters.stalls.total == 2)
        #expect(counters.longestTurnNanoseconds == 900)
    }
}
