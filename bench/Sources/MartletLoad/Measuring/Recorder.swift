import Histogram

/// What is measured of a run: only messages that were due between its warm-up and its end count.
struct Recorder {
    /// A part of the run, of the messages that were due in it.
    struct Window {
        var latency = Recorder.histogram()
        var lateness = Recorder.histogram()
    }

    let start: UInt64
    let end: UInt64
    private(set) var latency = Recorder.histogram()
    private(set) var lateness = Recorder.histogram()
    private(set) var sent = 0
    private(set) var received = 0
    /// Messages that came in between start and end, whenever they were due. A server that falls behind
    /// has fewer of those.
    private(set) var arrived = 0
    /// When the last one came in, whatever counts of it.
    private(set) var lastArrival: UInt64 = 0
    /// None unless windows were asked for; all are made at once, so that none is made in the run.
    private(set) var windows: [Window] = []
    let windowNanoseconds: UInt64

    init(start: UInt64, end: UInt64, windowSeconds: Double = 0) {
        self.start = start
        self.end = end
        windowNanoseconds = UInt64(windowSeconds * 1e9)
        guard windowNanoseconds > 0, end > start else { return }
        let count = (end - start + windowNanoseconds - 1) / windowNanoseconds
        windows = (0..<count).map { _ in Window() }
    }

    /// To 60 s, at three digits.
    private static func histogram() -> Histogram<UInt32> {
        Histogram(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    }

    @inline(__always)
    private func counts(_ moment: UInt64) -> Bool { moment >= start && moment < end }

    /// A message left; late by what passed since it was due.
    @inline(__always)
    mutating func recordSent(due: UInt64, at now: UInt64) {
        guard counts(due) else { return }
        sent &+= 1
        let late = now > due ? now &- due : 0
        _ = lateness.record(late)
        if windowNanoseconds > 0 { _ = windows[window(due)].lateness.record(late) }
    }

    /// A message left when it was due, because it is due when it leaves.
    @inline(__always)
    mutating func recordSent(at now: UInt64) {
        if counts(now) { sent &+= 1 }
    }

    @inline(__always)
    mutating func recordReceived(due: UInt64, at now: UInt64) {
        lastArrival = now
        if counts(now) { arrived &+= 1 }
        guard counts(due) else { return }
        received &+= 1
        let waited = now > due ? now &- due : 0
        _ = latency.record(waited)
        if windowNanoseconds > 0 { _ = windows[window(due)].latency.record(waited) }
    }

    @inline(__always)
    private func window(_ due: UInt64) -> Int { Int((due &- start) / windowNanoseconds) }

    var seconds: Double { Double(end - start) / 1e9 }
}
