import Histogram
import Testing

@testable import MartletLoad

/// What counts of a run, and how its parts are spread over time.
@Suite struct MeasuringTests {
    @Test("only messages due between start and end count, from when they were due")
    func recorder() {
        var recorder = Recorder(start: 1_000, end: 2_000)
        for due in [999, 1_000, 1_999, 2_000] as [UInt64] {
            recorder.recordSent(due: due, at: due + 10)
            recorder.recordReceived(due: due, at: due + 500)
        }
        #expect(recorder.sent == 2)
        #expect(recorder.received == 2)
        #expect(recorder.latency.max == 500)
        #expect(recorder.lateness.max == 10)
        // At 1,499 and at 1,500.
        #expect(recorder.arrived == 2)
    }

    @Test("a message counts in the window it was due in, however late it comes")
    func windows() {
        var recorder = Recorder(start: 0, end: 2_500_000_000, windowSeconds: 1)
        #expect(recorder.windows.count == 3)
        recorder.recordReceived(due: 100, at: 2_000_000_100)
        recorder.recordReceived(due: 2_499_999_999, at: 2_500_000_000)
        #expect(recorder.windows.map { Int($0.latency.totalCount) } == [1, 0, 1])
    }

    @Test("waiting is no work, and neither are turns without any")
    func workTime() {
        var work = WorkTime()
        work.addTurn(from: 0, to: 100, waited: 30, hadWork: true)
        work.addTurn(from: 100, to: 200, waited: 0, hadWork: false)
        #expect(work.nanoseconds == 70)
    }

    @Test("a pace keeps its rate over uneven ticks", arguments: [1, 20, 999, 10_000])
    func pace(perSecond: Int) {
        var pace = Pace(perSecond: perSecond)
        var events = 0
        var ticks = 0
        while ticks < 10_000 {
            let count = 1 + ticks % 7
            events += pace.due(count)
            ticks += count
        }
        #expect(events == ticks * perSecond / Background.ticksPerSecond)
    }
}
