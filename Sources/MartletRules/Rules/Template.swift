/// Text with places that each message fills: `orders.{{json(/customer/country)}}.{{wildcard(1)}}`,
/// also `{{header(Name)}}`, `{{partition(10, 1, 2)}}` and, as a whole token of a subject, `$1`. It is
/// compiled once and rendered into a caller's buffer.
///
/// A payload must not choose more than it is given: in a subject, a filled place is part of one
/// token, never more, and the first token is the operator's; in a header, it cannot end the line.
///
/// SAFETY: the cells never change after `init`; the owner frees them once.
public final class Template: Sendable {
    /// What the text becomes.
    public enum Purpose: Sendable {
        case subject, header
    }

    private let purpose: Purpose
    private let parts: Cells<TemplatePart>
    private let text: Cells<UInt8>

    /// Bytes that a filled place may have.
    static let subjectValueBytesMax = 64
    static let headerValueBytesMax = 256

    /// `source` is the subject of the rule, whose wildcards `{{wildcard(n)}}` counts from 1 on.
    public init(
        _ template: String, for purpose: Purpose, source: String, pointers: inout PointerSet
    ) throws(RuleError) {
        var parser = TemplateParser(template, source: source, isSubject: purpose == .subject)
        try parser.parse(&pointers)
        switch purpose {
        case .subject: try parser.checkSubject()
        case .header: try parser.checkHeader()
        }
        self.purpose = purpose
        parts = Cells(parser.parts)
        text = Cells(parser.text)
    }

    deinit {
        parts.free()
        text.free()
    }

    /// Whether rendering needs the payload's values.
    public var usesPayload: Bool {
        for index in 0..<parts.count where parts[index].kind == .value { return true }
        return false
    }

    /// How often rendering looks for a field of the header block.
    var headerPlaces: Int {
        (0..<parts.count).count { parts[$0].kind == .header }
    }

    /// `slots` are what the tree found in the document; they are not looked at if the payload is
    /// not used.
    @unsafe public func render(
        _ message: RuleMessage, _ document: JSONDocument?, _ slots: UnsafePointer<JSONSlot>,
        into buffer: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> TemplateOutcome {
        var writer = unsafe ByteWriter(buffer, capacity: capacity)
        let names = unsafe Bytes(UnsafePointer(text.start), count: text.count)
        var hash = FNV()
        for index in 0..<parts.count {
            let part = parts[index]
            var failure: TemplateFailure?
            switch part.kind {
            case .literal: writer.write(names, Int(part.a), length: Int(part.b))
            case .value:
                let slot = unsafe slots[Int(part.a)]
                if let document, slot.isPresent {
                    failure = write(document.entry(Int(slot.entry)), of: document, to: &writer)
                } else {
                    failure = .missing
                }
            case .header:
                let range = message.headerValue(names, Int(part.a), length: Int(part.b))
                failure = write(range, of: message.header, to: &writer)
            case .wildcard:
                failure = write(message.token(Int(part.a)), of: message.subject, to: &writer)
            case .hashed:
                let all = 0..<message.subject.count
                hash.add(message.subject, part.a < 0 ? all : message.token(Int(part.a)))
            case .partition:
                writer.write(decimal: Int(hash.value % UInt32(part.a)))
                hash = FNV()
            }
            if let failure { return .failure(failure) }
        }
        return writer.isFull ? .failure(.noRoom) : .rendered(writer.count)
    }

    private var valueBytesMax: Int {
        purpose == .subject ? Self.subjectValueBytesMax : Self.headerValueBytesMax
    }

    /// Whether a character may stand in a filled place.
    @inline(__always)
    private func allows(_ scalar: UInt32) -> Bool {
        if purpose == .header { return scalar >= 0x20 && scalar != 0x7F || scalar == 0x09 }
        return scalar > 0x20 && scalar != 0x7F && scalar != UInt32(UInt8(ascii: "."))
            && scalar != UInt32(UInt8(ascii: "*")) && scalar != UInt32(UInt8(ascii: ">"))
    }

    private func write(
        _ entry: JSONEntry, of document: JSONDocument, to writer: inout ByteWriter
    ) -> TemplateFailure? {
        switch entry.kind {
        case .null, .array, .object: return .badToken
        case .number where purpose == .subject && !isInteger(entry, document): return .badToken
        case .number, .true, .false:
            if entry.length > valueBytesMax { return .tooLong }
            writer.write(document.bytes, entry.offset, length: entry.length)
            return nil
        case .string: break
        }
        var count = 0
        var reader = ScalarReader(document.bytes, entry)
        while !reader.isAtEnd {
            let scalar = reader.next()
            count &+= encodedUTF8(scalar).count
            if !allows(scalar) { return .badToken }
            if count > valueBytesMax { return .tooLong }
            writer.write(scalar: scalar)
        }
        return count == 0 && purpose == .subject ? .badToken : nil
    }

    /// Whether a number is written as an integer.
    private func isInteger(_ entry: JSONEntry, _ document: JSONDocument) -> Bool {
        if !entry.isTooLong { return !entry.isFractional }
        for position in entry.offset..<entry.end {
            let byte = document.bytes[position]
            if byte &- UInt8(ascii: "0") > 9 && byte != UInt8(ascii: "-") { return false }
        }
        return true
    }

    private func write(
        _ range: Range<Int>?, of bytes: Bytes, to writer: inout ByteWriter
    ) -> TemplateFailure? {
        guard let range else { return .missing }
        if range.isEmpty && purpose == .subject { return .badToken }
        for position in range where !allows(UInt32(bytes[position])) { return .badToken }
        if range.count > valueBytesMax { return .tooLong }
        writer.write(bytes, range.lowerBound, length: range.count)
        return nil
    }
}

/// What became of a template.
public enum TemplateOutcome: Equatable, Sendable {
    /// The number of bytes.
    case rendered(Int)
    /// Why it could not be written.
    case failure(TemplateFailure)
}

/// Why a template has no text for a message: code 422.
public enum TemplateFailure: UInt8, Sendable {
    /// The payload, the header or the subject has no such value.
    case missing
    /// The value is no scalar, or has a character that may not stand there.
    case badToken
    /// The value is too long.
    case tooLong
    /// The whole is longer than the buffer.
    case noRoom

    /// A short name that programs can compare.
    public var name: StaticString {
        switch self {
        case .missing: "missing_value"
        case .badToken: "bad_token"
        case .tooLong, .noRoom: "too_long"
        }
    }
}

/// The hash that the server's `partition` takes (FNV-1a of 32 bits), so that both choose the same.
private struct FNV {
    private(set) var value: UInt32 = 0x811C_9DC5

    mutating func add(_ bytes: Bytes, _ range: Range<Int>?) {
        guard let range else { return }
        for index in range { value = (value ^ UInt32(bytes[index])) &* 0x0100_0193 }
    }
}

struct TemplatePart: BitwiseCopyable {
    enum Kind: UInt8 {
        /// `a` and `b` are offset and length in the text.
        case literal
        /// `a` is a slot.
        case value
        /// `a` and `b` are offset and length of the name.
        case header
        /// `a` is a token of the subject.
        case wildcard
        /// The same, for the next partition; the whole subject if it is -1.
        case hashed
        /// `a` is how many partitions there are.
        case partition
    }

    var kind: Kind
    var a: Int32
    var b: Int32 = 0
}
