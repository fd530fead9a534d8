/// A compiled schema: flat arrays that an evaluation only reads.
///
/// SAFETY: its cells never change after `init`; `JSONSchema` owns it and frees it once.
struct SchemaProgram: BitwiseCopyable, Sendable {
    let steps: Cells<SchemaStep>
    let starts: Cells<SchemaStart>
    let operands: Cells<Int32>
    let members: Cells<SchemaMembers>
    let slots: Cells<MemberSlot>
    let names: Cells<UInt8>
    let enumSlots: Cells<ValueSlot>
    let divisors: Cells<SchemaDivisor>
    let patterns: Cells<Pattern>
    /// Resource, anchor's number and subschema, for each `$dynamicAnchor`.
    let dynamicAnchors: Cells<Int32>
    /// The schema itself, for constants.
    let text: Cells<UInt8>
    let tape: Cells<JSONEntry>
    let root: Int
    /// Whether marks are needed.
    let tracksEvaluated: Bool
    let usesScopes: Bool
    /// By their first steps, the subschemas that more than one other leads to.
    let isShared: Cells<Bool>
    let hasShared: Bool
    let cost: SchemaCost

    var constants: Values {
        Values(bytes: unsafe Bytes(UnsafePointer(text.start), count: text.count), tape: tape)
    }

    var nameBytes: Bytes { unsafe Bytes(UnsafePointer(names.start), count: names.count) }

    func free() {
        steps.free()
        starts.free()
        operands.free()
        members.free()
        slots.free()
        enumSlots.free()
        isShared.free()
        names.free()
        divisors.free()
        for index in 0..<patterns.count { patterns[index].free() }
        patterns.free()
        dynamicAnchors.free()
        text.free()
        tape.free()
    }
}

/// Where a keyword stands in its schema, and what it is called.
struct SchemaPlace: Sendable, Equatable {
    let pointer: JSONPointer
    let keyword: String
}

/// A part of a text.
struct SchemaSpan: BitwiseCopyable {
    var offset: Int32
    var length: Int32
}
