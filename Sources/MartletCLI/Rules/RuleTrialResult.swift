import MartletBroker
import MartletRules

/// What rules made of a message, step by step and in the end.
struct RuleTrialResult {
    struct Step: Encodable {
        var rule: String
        var result: String
        var shadow: Bool
        var code: Int?
    }

    /// A message that comes of the one that was tried.
    struct Message {
        var subject: String
        var headers: InProcessHeaders
        var payload: [UInt8]
    }

    struct Failure: Encodable {
        var message: String
        /// Where in the payload.
        var offset: Int?
    }

    let reply: String?
    private(set) var steps: [Step] = []
    let fate: String
    /// The rule that decided, unless the message goes on as it came.
    private(set) var rule: String?
    private(set) var code: Int?
    private(set) var forwarded: Message?
    private(set) var answer: [UInt8]?
    private(set) var failure: Failure?
    private(set) var deadLetter: Message?
    /// The rule that there should have been a dead letter of.
    private(set) var lostDeadLetterOf: String?

    /// Whether nobody gets the message, nor an answer that is what was asked for.
    let isStopped: Bool

    init(of trial: RuleTrial, _ verdict: RuleVerdict, _ output: RuleOutput, _ rules: RuleSet) {
        reply = trial.reply
        fate = "\(verdict.fate)"
        isStopped = verdict.fate == .reject || verdict.fate == .drop
        for index in 0..<output.stepCount {
            let step = unsafe output.steps[index]
            let name = rules.name(of: Int(step.rule))
            steps.append(
                Step(
                    rule: name, result: step.result.label, shadow: step.isShadow,
                    code: step.code == 0 ? nil : Int(step.code)))
            if step.isDeadLetterLost { lostDeadLetterOf = name }
        }
        if verdict.fate != .pass { rule = rules.name(of: verdict.rule) }
        if verdict.code != 0 { code = verdict.code }
        if output.messageCount > 0 {
            failure = Failure(
                message: unsafe Self.text(output.message, output.messageCount),
                offset: output.failureOffset < 0 ? nil : output.failureOffset)
        }
        switch verdict.fate {
        case .pass: break
        case .forward: forwarded = Self.message(of: trial, output)
        case .reply: answer = unsafe Self.bytes(output.body, output.bodyCount)
        case .drop, .reject:
            if verdict.repliesToInvalid {
                answer = unsafe Self.bytes(output.body, output.bodyCount)
            }
            if output.subjectCount > 0 { deadLetter = Self.message(of: trial, output) }
        }
    }

    private static func message(of trial: RuleTrial, _ output: RuleOutput) -> Message {
        let subject =
            output.subjectCount > 0
            ? unsafe text(output.subject, output.subjectCount) : trial.subject
        let headers =
            output.headerCount > 0
            ? InProcessHeaders.parse(unsafe bytes(output.header, output.headerCount)).headers
            : trial.headers
        let payload = output.slice.map { Array(trial.payload[$0]) } ?? trial.payload
        return Message(subject: subject, headers: headers, payload: payload)
    }

    private static func bytes(_ start: UnsafeMutablePointer<UInt8>, _ count: Int) -> [UInt8] {
        unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }

    private static func text(_ start: UnsafeMutablePointer<UInt8>, _ count: Int) -> String {
        unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
