/// Why a document was refused before any rule looked at it, and where.
public struct JSONFailure: Error, Equatable, Sendable {
    /// What is wrong.
    public let reason: JSONFailureReason
    /// The byte that it was noticed at.
    public let offset: Int

    /// 400 for what is no JSON, 413 for what is over a limit.
    public var code: Int { reason.isLimit ? 413 : 400 }

    @inline(always)
    init(_ reason: JSONFailureReason, _ offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// The same where a document of `count` bytes ended too early.
    func within(_ count: Int) -> JSONFailure {
        offset < count || reason.isLimit || reason == .empty
            ? self : JSONFailure(.unexpectedEnd, count)
    }
}

/// What is wrong with a document. The raw value is what error replies carry.
public enum JSONFailureReason: UInt8, Sendable {
    case empty
    case unexpectedEnd
    case unexpectedByte
    case expectedValue
    case expectedKey
    case expectedColon
    case expectedCommaOrEnd
    case trailingBytes
    case badLiteral
    case badNumber
    case badEscape
    case loneSurrogate
    case controlCharacter
    case badUTF8
    case duplicateKey
    case payloadTooLarge
    case tooDeep
    case tooManyFields
    case keyTooLong
    case numberTooLong
    case tooComplex

    var isLimit: Bool { rawValue >= JSONFailureReason.payloadTooLarge.rawValue }

    /// A short name that programs can compare.
    public var name: StaticString {
        switch self {
        case .empty: "empty"
        case .unexpectedEnd: "unexpected_end"
        case .unexpectedByte: "unexpected_byte"
        case .expectedValue: "expected_value"
        case .expectedKey: "expected_key"
        case .expectedColon: "expected_colon"
        case .expectedCommaOrEnd: "expected_comma_or_end"
        case .trailingBytes: "trailing_bytes"
        case .badLiteral: "bad_literal"
        case .badNumber: "bad_number"
        case .badEscape: "bad_escape"
        case .loneSurrogate: "lone_surrogate"
        case .controlCharacter: "control_character"
        case .badUTF8: "bad_utf8"
        case .duplicateKey: "duplicate_key"
        case .payloadTooLarge: "payload_too_large"
        case .tooDeep: "too_deep"
        case .tooManyFields: "too_many_fields"
        case .keyTooLong: "key_too_long"
        case .numberTooLong: "number_too_long"
        case .tooComplex: "too_complex"
        }
    }
}
