extension JSONSchema {
    /// Writes what an error reply says of a violation, as the members of a JSON object without its
    /// braces:
    /// `"code":"minimum","path":"/total","keyword":"/properties/total/minimum","offset":812`. The
    /// number of bytes, or nil if they do not fit.
    @unsafe public func writeReport(
        of violation: SchemaViolation, in document: JSONDocument,
        into buffer: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> Int? {
        var writer = unsafe ByteWriter(buffer, capacity: capacity)
        _ = writeReport(of: violation, in: document, to: &writer)
        return writer.isFull ? nil : writer.count
    }

    /// The same; returns where among what is written the path stands.
    func writeReport(
        of violation: SchemaViolation, in document: JSONDocument, to writer: inout ByteWriter
    ) -> Range<Int> {
        writeCode(of: violation, to: &writer)
        writer.write(",\"path\":\"")
        let pathStart = writer.count
        writer.writePath(to: Int(violation.entry), in: document)
        let path = pathStart..<writer.count
        writer.write("\",\"keyword\":\"")
        write(placeSpans[2 * reportPlace(of: violation) + 1], to: &writer)
        writer.write("\",\"offset\":")
        writer.write(decimal: document.offset(of: violation))
        return path
    }

    /// `"code":"minimum"`
    func writeCode(of violation: SchemaViolation, to writer: inout ByteWriter) {
        writer.write("\"code\":\"")
        write(placeSpans[2 * reportPlace(of: violation)], to: &writer)
        writer.write("\"")
    }

    /// Writes the same in a line for people: `/total must be >= 0`.
    @unsafe public func writeMessage(
        of violation: SchemaViolation, in document: JSONDocument,
        into buffer: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> Int? {
        var writer = unsafe ByteWriter(buffer, capacity: capacity)
        if violation.entry == 0 {
            writer.write("the document")
        } else {
            writer.writePath(to: Int(violation.entry), in: document)
        }
        writer.write(" ")
        write(sentenceOf: violation, document, to: &writer)
        return writer.isFull ? nil : writer.count
    }

    /// The same without the value's name: `must be >= 0`.
    @unsafe func writeSentence(
        of violation: SchemaViolation, in document: JSONDocument,
        into buffer: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> Int? {
        var writer = unsafe ByteWriter(buffer, capacity: capacity)
        write(sentenceOf: violation, document, to: &writer)
        return writer.isFull ? nil : writer.count
    }

    private func write(
        sentenceOf violation: SchemaViolation, _ document: JSONDocument, to writer: inout ByteWriter
    ) {
        let step = program.steps[Int(violation.step)]
        if step.operation == .members {
            writer.write("must have ")
            write(missing(violation, document), to: &writer)
        } else {
            writer.write(Self.verb(step.operation))
            writeValue(of: step, to: &writer)
        }
    }

    /// A step for all of an object's members fails by itself only for `required`.
    private func reportPlace(of violation: SchemaViolation) -> Int {
        let step = program.steps[Int(violation.step)]
        return step.operation == .members
            ? Int(program.members[Int(step.a)].requiredPlace) : Int(step.place)
    }

    private func write(_ span: SchemaSpan, to writer: inout ByteWriter) {
        let bytes = unsafe Bytes(UnsafePointer(placeText.start), count: placeText.count)
        writer.write(bytes, Int(span.offset), length: Int(span.length))
    }

    private func write(_ slot: MemberSlot?, to writer: inout ByteWriter) {
        guard let slot else { return }
        for offset in Int(slot.nameOffset)..<Int(slot.nameOffset &+ slot.nameLength) {
            // The line may become a header field.
            let byte = program.nameBytes[offset]
            writer.write(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte)
        }
    }

    /// The first in the order of the schema, whose names were stored in turn; the table's order is that of
    /// hashes, which differ from one start to the next.
    private func missing(_ violation: SchemaViolation, _ document: JSONDocument) -> MemberSlot? {
        let members = program.members[Int(program.steps[Int(violation.step)].a)]
        let object = Int(violation.entry)
        var first: MemberSlot?
        for index in 0..<Int(members.tableCount) {
            let slot = program.slots[Int(members.table) &+ index]
            if slot.nameOffset < 0 || !slot.isRequired { continue }
            if let first, first.nameOffset < slot.nameOffset { continue }
            var isThere = false
            var key = object &+ 1
            while key < document.entry(object).next && !isThere {
                isThere = document.entry(key).hash == slot.hash
                key = document.tape.index(after: key &+ 1)
            }
            if !isThere { first = slot }
        }
        return first
    }

    private static func verb(_ operation: SchemaOperation) -> StaticString {
        switch operation {
        case .refuse: "is not allowed"
        case .type: "must be of another type"
        case .constant: "must be "
        case .oneOfValues, .oneOfManyValues: "must be one of the allowed values"
        case .minimum: "must be >= "
        case .maximum: "must be <= "
        case .exclusiveMinimum: "must be > "
        case .exclusiveMaximum: "must be < "
        case .multipleOf: "must be a multiple of the schema's number"
        case .minLength: "must not be shorter than "
        case .maxLength: "must not be longer than "
        case .pattern: "must match the pattern"
        case .format: "must have the format"
        case .minItems, .minProperties: "must not have fewer than "
        case .maxItems, .maxProperties: "must not have more than "
        case .uniqueItems: "must have no equal elements"
        case .contains: "must contain elements that match"
        case .dependentRequired: "must have the members that others require"
        case .anyOf: "must match at least one schema"
        case .oneOf: "must match exactly one schema"
        case .not: "must not match the schema"
        default: "is not valid"
        }
    }

    private func writeValue(of step: SchemaStep, to writer: inout ByteWriter) {
        switch step.operation {
        case .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum, .constant:
            let entry = program.tape[Int(step.a)]
            let quote = entry.kind == .string ? 1 : 0
            let start = entry.offset &- quote
            var length = min(entry.length &+ 2 &* quote, 64)
            // Never a part of a character.
            let bytes = program.constants.bytes
            if length < entry.length &+ 2 &* quote {
                while bytes[start &+ length] & 0xC0 == 0x80 { length &-= 1 }
            }
            writer.write(bytes, start, length: length)
        case .minLength, .maxLength, .minItems, .maxItems, .minProperties, .maxProperties:
            writer.write(decimal: Int(step.a))
        default: break
        }
    }
}

extension JSONDocument {
    /// Where the value begins, a string with its quote.
    func offset(of violation: SchemaViolation) -> Int {
        let entry = entry(Int(violation.entry))
        return entry.kind == .string ? entry.offset &- 1 : entry.offset
    }
}

extension ByteWriter {
    /// The JSON Pointer to an entry, as the inside of a JSON string.
    mutating func writePath(to target: Int, in document: JSONDocument) {
        var container = 0
        while container != target && document.entry(container).isContainer {
            let isObject = document.entry(container).kind == .object
            var index = 0
            var child = container &+ 1
            while true {
                // A key is named by its own member.
                let value = isObject ? child &+ 1 : child
                let next = document.tape.index(after: value)
                if target < next {
                    write(UInt8(ascii: "/"))
                    if isObject {
                        write(token: document.entry(child), document.bytes)
                    } else {
                        write(decimal: index)
                    }
                    if target == child { return }
                    container = value
                    break
                }
                if next >= document.entry(container).next { return }
                child = next
                index &+= 1
            }
        }
    }

    /// A key is a JSON string already; what a pointer escapes comes on top.
    private mutating func write(token key: JSONEntry, _ bytes: Bytes) {
        var position = key.offset
        while position < key.end {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "~"): write("~0")
            case UInt8(ascii: "/"): write("~1")
            case UInt8(ascii: "\\"):
                position &+= 1
                let escaped = bytes[position]
                if escaped == UInt8(ascii: "/") {
                    write("~1")
                } else {
                    write(byte)
                    write(escaped)
                }
            default: write(byte)
            }
            position &+= 1
        }
    }
}
