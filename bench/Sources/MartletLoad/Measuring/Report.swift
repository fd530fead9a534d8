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
    mutating func add(_ name: String, _ list: [Report]) {
        fields.append("\"\(name)\":[\(list.map(\.json).joined(separator: ","))]")
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

    /// All that a histogram holds, as pairs of nanoseconds and how often, so that those of several
    /// processes can be added.
    mutating func addCounts(_ name: String, _ histogram: Histogram<UInt32>) {
        let pairs = histogram.recordedValues().map { "[\($0.value),\($0.count)]" }
        fields.append("\"\(name)\":[\(pairs.joined(separator: ","))]")
    }

    /// Latency and lateness; a run is void if being late itself could explain what it reports.
    mutating func add(_ recorder: Recorder) {
        add("seconds", recorder.seconds)
        add("sent", recorder.sent)
        add("received", recorder.received)
        add("sent_per_second", Double(recorder.sent) / recorder.seconds)
        add("received_per_second", Double(recorder.arrived) / recorder.seconds)
        add("latency_us", recorder.latency)
        add("lateness_us", recorder.lateness)
        let lateness = recorder.lateness.valueAtPercentile(99)
        add(
            "valid",
            recorder.received > 0 && lateness * 10 <= recorder.latency.valueAtPercentile(99))
        guard !recorder.windows.isEmpty else { return }
        add(
            "windows",
            recorder.windows.enumerated().map { index, window in
                var inner = Report()
                let begin = UInt64(index) * recorder.windowNanoseconds
                inner.add("second", Double(begin) / 1e9)
                inner.add("received", Int(window.latency.totalCount))
                inner.add("latency_us", window.latency)
                inner.add("lateness_us", window.lateness)
                return inner
            })
    }

    /// The generator's own processor time, as a share of one core.
    mutating func addProcessorShare(
        from before: (user: UInt64, system: UInt64), over nanoseconds: UInt64
    ) {
        let after = processorTime()
        add("generator_user", Double(after.user - before.user) / Double(nanoseconds))
        add("generator_system", Double(after.system - before.system) / Double(nanoseconds))
    }

    /// The share of its time in which the generator had something to do.
    mutating func add(_ work: WorkTime, over nanoseconds: UInt64) {
        add("generator_busy", Double(work.nanoseconds) / Double(nanoseconds))
    }

    var json: String { "{\(fields.joined(separator: ","))}" }
}
