import Testing

@testable import MartletBroker

@Suite("How long the output of fan-outs waits")
struct OutputPaceTests {
    private var pace = OutputPace()
    private var now: UInt64 = 1_000_000_000
    private var busy = 0

    /// Looks after each millisecond, of which the loop was busy so much.
    private mutating func pass(milliseconds: Int, busyPercent: Int) {
        for _ in 0..<milliseconds {
            now += OutputPace.lookNanoseconds
            busy += Int(OutputPace.lookNanoseconds) * busyPercent / 100
            pace.look(at: now, busyNanoseconds: busy)
        }
    }

    @Test("not at all while the loop has time", arguments: [0, 30, 64, 70, 75])
    mutating func hasTime(busyPercent: Int) {
        pass(milliseconds: 1_000, busyPercent: busyPercent)
        #expect(pace.windowNanoseconds == 0)
    }

    @Test("within 30 ms as long as it may, where the loop has none")
    mutating func isBusy() {
        pass(milliseconds: 30, busyPercent: 97)
        #expect(pace.windowNanoseconds == OutputPace.windowNanosecondsMax)
        pass(milliseconds: 1_000, busyPercent: 100)
        #expect(pace.windowNanoseconds == OutputPace.windowNanosecondsMax)
    }

    @Test("the same as before where that has made the loop as busy as it should be")
    mutating func isBusyEnough() {
        pass(milliseconds: 10, busyPercent: 90)
        let before = pace.windowNanoseconds
        #expect(before > 0)
        pass(milliseconds: 1_000, busyPercent: 70)
        #expect(pace.windowNanoseconds == before)
    }

    @Test("less and less when the load falls")
    mutating func falls() {
        pass(milliseconds: 100, busyPercent: 97)
        pass(milliseconds: 5, busyPercent: 40)
        #expect((1..<OutputPace.windowNanosecondsMax).contains(pace.windowNanoseconds))
        pass(milliseconds: 40, busyPercent: 40)
        #expect(pace.windowNanoseconds == 0)
    }

    @Test("not at all after a pause, however busy the loop was before or in it")
    mutating func pause() {
        pass(milliseconds: 100, busyPercent: 97)
        now += OutputPace.forgottenNanoseconds
        busy += Int(OutputPace.forgottenNanoseconds)
        pace.look(at: now, busyNanoseconds: busy)
        #expect(pace.windowNanoseconds == 0)
    }
}
