import FoundationEssentials
import MartletBroker

/// The result for programs.
extension RuleTrialResult: Encodable {
    private enum CodingKeys: String, CodingKey {
        case rules, fate, rule, code, message, answer, error
        case deadLetter = "dead_letter"
        case lostDeadLetterOf = "dead_letter_lost"
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        // Strings, numbers and booleans can always be encoded.
        let data = (try? encoder.encode(self)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(steps, forKey: .rules)
        try container.encode(fate, forKey: .fate)
        try container.encodeIfPresent(rule, forKey: .rule)
        try container.encodeIfPresent(code, forKey: .code)
        try container.encodeIfPresent(forwarded, forKey: .message)
        // What the rules write is JSON, so it is text.
        try container.encodeIfPresent(
            answer.map { String(decoding: $0, as: UTF8.self) }, forKey: .answer)
        try container.encodeIfPresent(failure, forKey: .error)
        try container.encodeIfPresent(deadLetter, forKey: .deadLetter)
        try container.encodeIfPresent(lostDeadLetterOf, forKey: .lostDeadLetterOf)
    }
}

extension RuleTrialResult.Message: Encodable {
    private enum CodingKeys: String, CodingKey {
        case subject, headers, payload
        case base64 = "payload_base64"
    }

    private struct Field: Encodable {
        var name: String
        var value: String
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(subject, forKey: .subject)
        try container.encode(
            headers.fields.map { Field(name: $0.name, value: $0.value) }, forKey: .headers)
        if let text = String(validating: payload, as: UTF8.self) {
            try container.encode(text, forKey: .payload)
        } else {
            try container.encode(Data(payload).base64EncodedString(), forKey: .base64)
        }
    }
}
