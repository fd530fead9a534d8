import Histogram

/// What is measured of a run: only messages that were due between its warm-up and its end count.
struct Recorder {
    let start: UInt64
    let end: UInt64
    private(set) var latency = Recorder.histogram()
    private(set) var lateness = Recorder.histogram()
    private(set) var sent = 0
    private(set) var received = 0

    init(start: UInt64, end: UInt64) {
        self.start = start
        self.end = end
    }

    /// To 60 s, at three digits.
    private static func histogram() -> Histogram<UInt32> {
        Histogram(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    }

    @inline(__always)
    private func counts(_ due: UInt64) -> Bool { due >= start && due < end }

    /// A message left; late by what passed since it was due.
    @inline(__always)
    mutating func noteSent(due: UInt64, at now: UInt64) {
        guard counts(due) else { return }
        sent &+= 1
        _ = lateness.record(now > due ? now &- due : 0)
    }

    @inline(__always)
    mutating func noteReceived(due: UInt64, at now: UInt64) {
        guard counts(due) else { return }
        received &+= 1
        _ = latency.record(now > due ? now &- due : 0)
    }

    var seconds: Double { Double(end - start) / 1e9 }
}
