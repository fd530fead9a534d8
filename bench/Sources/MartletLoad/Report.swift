import Histogram

/// A run's outcome, as one line of JSON.
struct Report {
    private var fields: [String] = []

    mutating func add(_ name: String, _ text: String) { fields.append("\"\(name)\":\"\(text)\"") }
    mutating func add(_ name: String, _ number: Int) { fields.append("\"\(name)\":\(number)") }
    mutating func add(_ name: String, _ isTrue: Bool) { fields.append("\"\(name)\":\(isTrue)") }
    mutating func add(_ name: String, _ number: Double) {
        fields.append("\"\(name)\":\((number * 1_000).rounded() / 1_000)")
    }

    /// Percentiles in microseconds.
    mutating func add(_ name: String, _ histogram: Histogram<UInt32>) {
        func microseconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1_000 }
        var inner = Report()
        guard histogram.totalCount > 0 else { return }
        for (label, percentile) in [("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9)]
            as [(String, Double)]
        {
            inner.add(label, microseconds(histogram.valueAtPercentile(percentile)))
        }
        inner.add("max", microseconds(histogram.max))
        fields.append("\"\(name)\":\(inner.json)")
    }

    /// Latency and lateness; a run is void if being late itself could explain what it reports.
    mutating func add(_ recorder: Recorder) {
        add("seconds", recorder.seconds)
        add("sent", recorder.sent)
        add("received", recorder.received)
        add("sent_per_second", Double(recorder.sent) / recorder.seconds)
        add("received_per_second", Double(recorder.received) / recorder.seconds)
        add("latency_us", recorder.latency)
        add("lateness_us", recorder.lateness)
        let lateness = recorder.lateness.valueAtPercentile(99)
        add(
            "valid",
            recorder.received > 0 && lateness * 10 <= recorder.latency.valueAtPercentile(99))
    }

    /// The generator's own processor time, as a share of one core.
    mutating func addProcessorShare(
        from before: (user: UInt64, system: UInt64), over nanoseconds: UInt64
    ) {
        let after = processorTime()
        add("generator_user", Double(after.user - before.user) / Double(nanoseconds))
        add("generator_system", Double(after.system - before.system) / Double(nanoseconds))
    }

    var json: String { "{\(fields.joined(separator: ","))}" }
}
