/// The result for people.
extension RuleTrialResult {
    var text: String {
        var lines = stepLines
        lines.append("Fate: \(fate)" + (code.map { " \($0)" } ?? "") + decider)
        if let failure {
            lines.append("Error: \(failure.message)")
            if let offset = failure.offset { lines.append("Offset: \(offset)") }
        }
        if let forwarded { lines += Self.lines(forwarded) }
        if let answer {
            lines.append(reply.map { "Answer to \($0):" } ?? "Answer, if one is asked for:")
            lines.append(Self.line(answer))
        }
        if let deadLetter {
            lines.append("Dead letter: \(deadLetter.subject)")
            lines += deadLetter.headers.lines.map { "Header: \($0)" }
        }
        if let rule = lostDeadLetterOf {
            lines.append("Dead letter: none, the one of rule \(rule) cannot be made")
        }
        return lines.joined(separator: "\n")
    }

    private var decider: String { rule.map { ", by rule \($0)" } ?? "" }

    private var stepLines: [String] {
        if steps.isEmpty { return ["No rule is for this subject."] }
        return steps.map { step in
            "Rule \(step.rule): \(step.result.replacing("_", with: ", "))"
                + (step.code.map { " \($0)" } ?? "") + (step.shadow ? " (shadow)" : "")
        }
    }

    private static func lines(_ message: Message) -> [String] {
        ["Subject: \(message.subject)"] + message.headers.lines.map { "Header: \($0)" } + [
            "Payload: \(message.payload.count) bytes", line(message.payload),
        ]
    }

    /// Files end with a line feed as a rule, and so does what is printed.
    private static func line(_ payload: [UInt8]) -> String {
        let text = payload.last == UInt8(ascii: "\n") ? payload.dropLast() : payload[...]
        return String(decoding: text, as: UTF8.self)
    }
}
