/// An answer that consists of a payload's values: `{ id: "/id", tier: "/customer/tier" }` writes an
/// object with these members, each value as the payload has it, and null for what it has not.
///
/// SAFETY: the cells never change after `init`; the owner frees them once.
public final class PickedReply: Sendable {
    /// Slot, and where the text before the value stands.
    private let fields: Cells<TemplatePart>
    private let text: Cells<UInt8>

    /// An answer with a member for each name; throws for names or pointers that are none.
    public init(
        _ fields: [(name: String, pointer: JSONPointer)], pointers: inout PointerSet
    ) throws(RuleError) {
        var bytes: [UInt8] = []
        var parts: [TemplatePart] = []
        guard Set(fields.map(\.name)).count == fields.count else {
            throw RuleError("two members of a reply have the same name")
        }
        for (index, field) in fields.enumerated() {
            let start = bytes.count
            bytes.append(UInt8(ascii: index == 0 ? "{" : ","))
            bytes += jsonString(field.name)
            bytes.append(UInt8(ascii: ":"))
            let slot = pointers.slot(of: field.pointer)
            parts.append(TemplatePart(kind: .value, a: Int32(slot), b: Int32(start)))
        }
        parts.append(TemplatePart(kind: .literal, a: 0, b: Int32(bytes.count)))
        self.fields = Cells(parts)
        text = Cells(bytes)
    }

    deinit {
        fields.free()
        text.free()
    }

    /// The number of bytes written, or nil if they do not fit.
    @unsafe public func write(
        _ document: JSONDocument, _ slots: UnsafePointer<JSONSlot>,
        into buffer: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> Int? {
        var writer = unsafe ByteWriter(buffer, capacity: capacity)
        let names = unsafe Bytes(UnsafePointer(text.start), count: text.count)
        let count = fields.count &- 1
        if count == 0 { writer.write(UInt8(ascii: "{")) }
        for index in 0..<count {
            let start = Int(fields[index].b)
            writer.write(names, start, length: Int(fields[index &+ 1].b) &- start)
            let slot = unsafe slots[Int(fields[index].a)]
            if slot.isPresent {
                let slice = slot.slice
                writer.write(document.bytes, slice.offset, length: slice.length)
            } else {
                writer.write("null")
            }
        }
        writer.write(UInt8(ascii: "}"))
        return writer.isFull ? nil : writer.count
    }
}

/// A string as JSON.
func jsonString(_ text: String) -> [UInt8] {
    var bytes = [UInt8(ascii: "\"")]
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0..<0x20:
            let digits = Array("0123456789abcdef".utf8)
            bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
        default: bytes.append(byte)
        }
    }
    return bytes + [UInt8(ascii: "\"")]
}
