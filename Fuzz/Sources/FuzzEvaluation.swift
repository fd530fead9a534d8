import Glibc

@testable import MartletBroker
@testable import MartletRules

/// What is inside `rules { … }`, a line `----`, a subject, and on the lines behind it a header block
/// as it would come; another line `----`, and the payload. Compiled as the broker does, and evaluated:
/// twice with the same outcome, and nothing comes of it that a message must not bring about. `@order`
/// stands for a schema that is there.
@Sendable func fuzzEvaluation(_ input: [UInt8]) {
    let parts = input.cut(at: Array("\n----\n".utf8), 2)
    guard parts.count == 3, let rules = compiled(parts[0]) else { return }
    let message = parts[1].split(
        separator: UInt8.lineFeed, maxSplits: 1, omittingEmptySubsequences: false)
    // What the parser would take for one.
    guard let subject = message.first?.prefix(4_096), !subject.isEmpty,
        !subject.contains(where: { [0x20, 0x09, 0x0D].contains($0) })
    else { return }
    let evaluation = Evaluation(
        rules: rules, subject: Array(subject), header: message.count > 1 ? Array(message[1]) : [],
        payload: Array(parts[2]))
    guard let first = evaluation.run() else { return }
    check(evaluation.run() == first, "another outcome the second time")
    ProducedChecks(of: first, evaluation).run()
}

/// Compiling takes longer than all else, and most inputs differ in the message only.
private func compiled(_ text: ArraySlice<UInt8>) -> RuleSet? {
    if let known = knownSets[text] { return known }
    if knownSets.count == 256 { knownSets = [:] }
    let rules = compile(text)
    knownSets[text] = .some(rules)
    return rules
}

// libFuzzer has one thread.
nonisolated(unsafe) private var knownSets: [ArraySlice<UInt8>: RuleSet?] = [:]

/// nil for what a broker would not start with, or would need much memory for.
private func compile(_ text: ArraySlice<UInt8>) -> RuleSet? {
    let text = String(decoding: text, as: UTF8.self)
    let lower = text.lowercased()
    // These would read the files of this machine.
    guard !lower.contains("include"), !lower.contains("schema"), !lower.contains("\\x")
    else { return nil }
    var parser = ConfigurationParser(
        "rules {\nschemas { order: \"\(schemaPath)\" }\n"
            + text.replacing("@order", with: "{ schema: order }") + "\n}",
        file: "fuzz.conf", environment: [:])
    guard let root = try? parser.parse() else { return nil }
    var configuration = BrokerConfiguration()
    var reader = ConfigurationReader()
    reader.read(root, path: "fuzz.conf", into: &configuration)
    guard reader.errors.isEmpty, let definition = configuration.rules?.definition,
        definition.limits.payloadBytesMax <= 256 << 10, definition.limits.fieldsMax <= 4_096
    else { return nil }
    do throws(RuleSetFailure) { return try RuleSet(definition) } catch {
        fatalError("the configuration is right, but: \(error.errors)")
    }
}

/// Made once; a configuration names schemas by file.
private let schemaPath = {
    let path = "/tmp/martlet-fuzz-\(getpid()).json"
    let text = """
        {"type": "object", "required": ["id"], "properties": {
          "id": {"type": ["integer", "string"]}, "total": {"minimum": 0, "multipleOf": 0.5},
          "country": {"enum": ["de", "fr"]}, "sku": {"pattern": "^[a-z]{2}-[0-9]+$"},
          "items": {"type": "array", "items": {"type": "object", "required": ["n"]},
                    "uniqueItems": true, "maxItems": 3}}}
        """
    let file = fopen(path, "w")
    fputs(text, file)
    fclose(file)
    atexit { unlink("/tmp/martlet-fuzz-\(getpid()).json") }
    return path
}()

extension [UInt8] {
    /// Up to `count` cuts.
    fileprivate func cut(at separator: [UInt8], _ count: Int) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var rest = self[...]
        while parts.count < count, let range = rest.firstRange(of: separator) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}

/// One message and the rules that it meets.
struct Evaluation {
    let rules: RuleSet
    let subject: [UInt8]
    let header: [UInt8]
    let payload: [UInt8]

    /// All that an evaluation makes.
    struct Outcome: Equatable {
        var verdict: RuleVerdict
        var subject: [UInt8]
        var header: [UInt8]
        var body: [UInt8]
        var message: [UInt8]
        var slice: Range<Int>?
        var failureOffset: Int
        var steps: [RuleStep]
    }

    /// nil when no rule is for the message.
    func run() -> Outcome? {
        if memory?.limits != rules.limits { memory = EvaluationMemory(rules.limits) }
        guard let memory else { return nil }
        return subject.withUnsafeBufferPointer { subject in
            let first = rules.firstRule(
                subject: subject.baseAddress!, count: subject.count, account: nil)
            guard first >= 0 else { return nil }
            // One more byte, so that there is an address; none behind it is the evaluation's.
            return (header + [0]).withUnsafeBufferPointer { header in
                (payload + [0]).withUnsafeBufferPointer { payload in
                    let message = RuleMessage(
                        subject: subject.baseAddress!, subjectCount: subject.count,
                        header: header.baseAddress!, headerCount: header.count - 1)
                    let verdict = rules.evaluate(
                        from: first, message, payload: payload.baseAddress!,
                        payloadCount: payload.count - 1,
                        origin: RuleOrigin(
                            clientID: .max, unixNanoseconds: 1_795_000_000_120_000_000,
                            random: UInt64(payload.count) &* 0x9E37_79B9_7F4A_7C15),
                        in: &memory.scratch, into: memory.output)
                    return memory.outcome(verdict)
                }
            }
        }
    }
}

/// As a thread of the broker has it; takes a while to make.
private final class EvaluationMemory {
    let limits: JSONLimits
    let output: RuleOutput
    var scratch: RuleScratch

    init(_ limits: JSONLimits) {
        self.limits = limits
        output = RuleOutput(limits: limits)
        scratch = RuleScratch(limits: limits)
    }

    deinit {
        output.destroy()
    }

    func outcome(_ verdict: RuleVerdict) -> Evaluation.Outcome {
        func bytes(_ start: UnsafeMutablePointer<UInt8>, _ count: Int) -> [UInt8] {
            Array(UnsafeBufferPointer(start: start, count: count))
        }
        return Evaluation.Outcome(
            verdict: verdict, subject: bytes(output.subject, output.subjectCount),
            header: bytes(output.header, output.headerCount),
            body: bytes(output.body, output.bodyCount),
            message: bytes(output.message, output.messageCount), slice: output.slice,
            failureOffset: output.failureOffset,
            steps: (0..<output.stepCount).map { output.steps[$0] })
    }
}

// libFuzzer has one thread.
nonisolated(unsafe) private var memory: EvaluationMemory?
