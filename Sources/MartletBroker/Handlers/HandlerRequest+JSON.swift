import Glibc
public import MartletRules

/// The payload as JSON. It is scanned once, when the first field is asked for, and nothing is built from
/// it: fields are places in the payload. All of these throw `ServiceError` 400 for a payload that is no
/// JSON and 413 for one over the limits, which become the reply unless the handler catches them.
extension HandlerRequest {
    /// What a field is; nil when the payload does not have it. Throws `BrokerError` with the code
    /// `.unknownField` for one that was not among `fields` when the handler was added, as all of these do.
    public func kind(_ field: String) throws -> JSONKind? {
        try slot(field)?.kind
    }

    /// A string, its escapes resolved; nil when the field is no string. Short ones are not allocated.
    public func string(_ field: String) throws -> String? {
        guard let slot = try slot(field), slot.kind == .string else { return nil }
        let start = Int(slot.offset)
        let inside = unsafe UnsafeRawBufferPointer(
            rebasing: payloadBytes[start..<(start + Int(slot.length))])
        guard let first = inside.baseAddress,
            unsafe memchr(first, Int32(UInt8(ascii: "\\")), inside.count) != nil
        else { return unsafe String(decoding: inside, as: UTF8.self) }
        return unsafe Self.unescaped(inside)
    }

    /// A whole number; nil when the field is none, or does not fit.
    public func integer(_ field: String) throws -> Int? {
        guard let slot = try slot(field), slot.kind == .number else { return nil }
        let end = Int(slot.offset + slot.length)
        var position = Int(slot.offset)
        let isNegative = unsafe payloadBytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var value = 0
        while position < end {
            let digit = unsafe Int(payloadBytes[position]) - Int(UInt8(ascii: "0"))
            guard digit >= 0, digit <= 9 else { return nil }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isTooMuch) = product.subtractingReportingOverflow(digit)
            if isTooLarge || isTooMuch { return nil }
            value = sum
            position += 1
        }
        // It was counted down: there is one more number below zero than above.
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    /// A number; nil when the field is none.
    public func number(_ field: String) throws -> Double? {
        guard let slot = try slot(field), slot.kind == .number else { return nil }
        let digits = unsafe payloadBytes[Int(slot.offset)..<Int(slot.offset + slot.length)]
        return unsafe Double(String(decoding: digits, as: UTF8.self))
    }

    /// True or false; nil when the field is neither.
    public func bool(_ field: String) throws -> Bool? {
        switch try slot(field)?.kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// A field as it is written, without a copy: strings with their quotes, objects and arrays whole. Nil
    /// when the payload does not have it.
    public func withJSON<Result>(
        _ field: String, _ body: (RawSpan) throws -> Result
    ) throws -> Result? {
        guard let slot = try slot(field) else { return nil }
        let (offset, length) = slot.slice
        let bytes = unsafe UnsafeRawBufferPointer(
            rebasing: payloadBytes[offset..<(offset + length)])
        return unsafe try body(bytes.bytes)
    }

    /// Throws `ServiceError` 422 when the payload does not match the schema: the description says what is
    /// wrong for people, and the body for programs.
    public func validate(_ schema: JSONSchema) throws(ServiceError) {
        unsafe try exchange.fields.check(schema, payloadBytes)
    }

    private func slot(_ field: String) throws -> JSONSlot? {
        _ = unsafe try exchange.fields.scan(payloadBytes)
        guard let slot = exchange.fields.slot(field) else {
            throw BrokerError(
                .unknownField,
                "the handler asks for \"\(field)\", which is not among its fields")
        }
        return slot.isPresent ? slot : nil
    }

    /// What stands between the quotes of a string that the scan has checked.
    private static func unescaped(_ bytes: UnsafeRawBufferPointer) -> String {
        var units: [UInt16] = []
        var text = ""
        var position = 0
        func flush() {
            text += String(decoding: units, as: UTF16.self)
            units = []
        }
        while position < bytes.count {
            if unsafe bytes[position] == UInt8(ascii: "\\") {
                let letter = unsafe bytes[position + 1]
                position += 2
                guard letter == UInt8(ascii: "u") else {
                    units.append(character(letter))
                    continue
                }
                let digits = unsafe bytes[position..<(position + 4)]
                units.append(unsafe UInt16(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0)
                position += 4
            } else {
                // Surrogates of a pair stand side by side: only escapes wait.
                flush()
                var end = position
                while unsafe end < bytes.count && bytes[end] != UInt8(ascii: "\\") { end += 1 }
                text += unsafe String(decoding: bytes[position..<end], as: UTF8.self)
                position = end
            }
        }
        flush()
        return text
    }

    private static func character(_ letter: UInt8) -> UInt16 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: UInt16(letter)
        }
    }
}
