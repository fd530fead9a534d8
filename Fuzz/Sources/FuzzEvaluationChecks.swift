@testable import MartletBroker
@testable import MartletRules

/// What holds for whatever an evaluation produces.
struct ProducedChecks {
    private let outcome: Evaluation.Outcome
    private let evaluation: Evaluation

    init(of outcome: Evaluation.Outcome, _ evaluation: Evaluation) {
        self.outcome = outcome
        self.evaluation = evaluation
    }

    func run() {
        checkCounts()
        if !outcome.subject.isEmpty { checkSubject() }
        if !outcome.header.isEmpty { checkHeader() }
        checkMessage()
        switch outcome.verdict.fate {
        case .pass: check(!isChanged, "it passes, and is changed")
        case .forward: check(isChanged, "it goes on otherwise, as it came")
        case .drop: break
        case .reply: checkBody("the answer")
        case .reject: checkBody("the error")
        }
        let isInvalid = outcome.verdict.code != 0
        check(
            !isInvalid || outcome.verdict.fate == .reject || outcome.verdict.fate == .drop,
            "it is not valid and goes on")
        check([0, 400, 413, 422].contains(outcome.verdict.code), "code \(outcome.verdict.code)")
    }

    private var isChanged: Bool {
        !outcome.subject.isEmpty || !outcome.header.isEmpty || outcome.slice != nil
    }

    /// The rules that did something, as they are written.
    private var definitions: [RuleDefinition] {
        outcome.steps.map { evaluation.rules.definition(of: Int($0.rule)) }
    }

    private func checkCounts() {
        check(outcome.subject.count <= RuleOutput.subjectBytesMax, "a long subject")
        check(outcome.header.count <= RuleOutput.headerBytesMax, "a long header block")
        check(outcome.message.count <= RuleOutput.messageBytesMax, "a long message")
        check(
            outcome.body.count <= evaluation.rules.limits.payloadBytesMax + 16 << 10, "a long body")
        check((1...RuleOutput.stepsMax).contains(outcome.steps.count), "steps without end")
        check(
            (-1...max(evaluation.payload.count, evaluation.rules.limits.payloadBytesMax))
                .contains(outcome.failureOffset), "failure at \(outcome.failureOffset)")
        guard let slice = outcome.slice else { return }
        check(
            slice.upperBound <= evaluation.payload.count && !slice.isEmpty,
            "\(slice) of \(evaluation.payload.count)")
        checkJSON(Array(evaluation.payload[slice]), "a part of the payload")
    }

    /// Legal, without wildcards, and what it begins with is the configuration's.
    private func checkSubject() {
        let subject = outcome.subject
        let text = String(decoding: subject, as: UTF8.self)
        check(
            subject.withUnsafeBufferPointer {
                Subject.isValidForPublish($0.baseAddress!, $0.count)
            }, "published to \(text)")
        check(
            subject.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x2A && $0 != 0x3E },
            "a subject with \(subject)")
        let templates = definitions.flatMap {
            $0.destinations.map(\.template) + [$0.deadLetter ?? ""]
        }
        check(
            templates.contains { Self.mayBecome(subject, $0) },
            "the message chose tokens of \(text)")
        check(!text.hasPrefix("$") && !text.hasPrefix("_INBOX"), "published to \(text)")
    }

    /// Whether a subject has the first token of a template, and as many tokens.
    private static func mayBecome(_ subject: [UInt8], _ template: String) -> Bool {
        let dot = UInt8(ascii: ".")
        let literal = Array(template.replacing(/\{\{.*?\}\}/, with: "x").utf8)
        return subject.prefix { $0 != dot } == literal.prefix { $0 != dot }
            && subject.count { $0 == dot } == literal.count { $0 == dot }
    }

    /// Whole lines that end in CR LF, an empty one only at the end, and each field that is set once.
    private func checkHeader() {
        let block = outcome.header
        check(block.starts(with: "NATS/1.0".utf8), "no status line")
        check(block.count > 4 && block.suffix(4) == Array("\r\n\r\n".utf8)[...], "no end")
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for position in block.indices where block[position] == 0x0A || block[position] == 0x0D {
            if block[position] == 0x0D {
                check(
                    position + 1 < block.count && block[position + 1] == 0x0A,
                    "a carriage return alone at \(position)")
                continue
            }
            check(position > 0 && block[position - 1] == 0x0D, "a line feed alone at \(position)")
            lines.append(block[start..<(position - 1)])
            start = position + 1
        }
        check(lines.last?.isEmpty == true, "it does not end with an empty line")
        check(lines.dropLast().allSatisfy { !$0.isEmpty }, "an empty line within")
        for name in namesSet {
            let count = lines.count { $0.starts(with: Array("\(name):".utf8)) }
            check(count == 1, "\(count) fields \(name)")
        }
    }

    /// Fields that are the rules' own in the block at hand.
    private var namesSet: [String] {
        guard outcome.verdict.fate == .forward else {
            return DeadLetter.fieldNames.filter { $0 != "X-Dead-Path" }
        }
        return zip(outcome.steps, definitions).flatMap { step, rule in
            step.result == .routed && !step.isShadow ? rule.headers.map(\.name) : []
        }
    }

    /// The line may become a header field.
    private func checkMessage() {
        check(
            outcome.message.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a message with control bytes")
    }

    private func checkBody(_ what: String) {
        check(!outcome.body.isEmpty, "\(what) is empty")
        checkJSON(outcome.body, what)
    }

    private func checkJSON(_ bytes: [UInt8], _ what: String) {
        bytes.withUnsafeBufferPointer { bytes in
            guard case .failure(let failure) = reader.scan(bytes.baseAddress!, count: bytes.count)
            else { return }
            check(
                false,
                "\(what) is no JSON: \(failure) of \(String(decoding: bytes, as: UTF8.self))")
        }
    }
}

/// For what is produced, which may be a little more than what came. libFuzzer has one thread.
nonisolated(unsafe) private var reader = {
    var limits = JSONLimits()
    limits.depthMax = 1_024
    limits.payloadBytesMax = 1 << 20
    limits.fieldsMax = 16_384
    limits.keyBytesMax = 65_536
    limits.numberDigitsMax = 1_000
    return RuleScratch(limits: limits)
}()
