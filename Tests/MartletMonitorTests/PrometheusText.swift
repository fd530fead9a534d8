/// A page in the text format of Prometheus, read strictly: each metric has one HELP, then one TYPE, then its
/// samples all together, each once; names, labels and values are what the format allows.
struct PrometheusText {
    struct Failure: Error { let line: String }

    /// By name, as the TYPE lines have them.
    private(set) var types: [String: String] = [:]
    /// By name and labels: `name{label="value"}`.
    private(set) var values: [String: Double] = [:]

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Failure(line: "the last line has no end") }
        var described: Set<String> = []
        var current = ""
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            if let help = line.wholeMatch(of: /# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*/) {
                current = String(help.1)
                guard described.insert(current).inserted else { throw Failure(line: String(line)) }
            } else if let type = line.wholeMatch(
                of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)/)
            {
                guard type.1 == current, types[current] == nil,
                    type.2 != "counter" || current.hasSuffix("_total")
                else { throw Failure(line: String(line)) }
                types[current] = String(type.2)
            } else {
                try readSample(line, of: current)
            }
        }
    }

    private mutating func readSample(_ line: Substring, of metric: String) throws {
        let form = /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^{}]*\})? ([^ ]+)/
        guard let sample = line.wholeMatch(of: form), let type = types[metric],
            let value = Double(String(sample.3))
        else { throw Failure(line: String(line)) }
        let suffixes = type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        let labels = (sample.2 ?? "{}").dropFirst().dropLast().split(separator: ",")
        let label = /[a-zA-Z_][a-zA-Z0-9_]*="[^"\\]*"/
        guard suffixes.contains(where: { metric + $0 == sample.1 }),
            labels.allSatisfy({ $0.wholeMatch(of: label) != nil }),
            values.updateValue(value, forKey: "\(sample.1)\(sample.2 ?? "")") == nil
        else { throw Failure(line: String(line)) }
    }
}
