/// A scanned document: its bytes and its tape. It holds until the scratch is used again or the
/// bytes go.
public struct JSONDocument {
    let bytes: Bytes
    let tape: Cells<JSONEntry>
    let entryCount: Int

    @inline(__always)
    func entry(_ index: Int) -> JSONEntry { tape[index] }

    /// The value behind an entry on the tape, as a place in the payload.
    @inline(__always)
    func slot(_ index: Int) -> JSONSlot {
        let entry = tape[index]
        return JSONSlot(
            offset: Int32(truncatingIfNeeded: entry.offset),
            length: Int32(truncatingIfNeeded: entry.length),
            entry: Int32(truncatingIfNeeded: index),
            kind: entry.kind)
    }

    /// The whole document's own value.
    public var root: JSONSlot { slot(0) }
}

/// Where a value stands in a payload.
public struct JSONSlot: BitwiseCopyable, Sendable {
    /// Of a string without its quotes, of a container with its brackets.
    public let offset: Int32
    /// Bytes of the value; of a string, without its quotes.
    public let length: Int32
    /// Its place on the tape, or -1 for a value that is not there.
    let entry: Int32
    /// What the value is.
    public let kind: JSONKind

    static let missing = JSONSlot(offset: 0, length: 0, entry: -1, kind: .null)

    /// Whether the document has the value.
    @inline(__always)
    public var isPresent: Bool { entry >= 0 }

    /// The value as written: a string with its quotes.
    @inline(__always)
    public var slice: (offset: Int, length: Int) {
        kind == .string ? (Int(offset) &- 1, Int(length) &+ 2) : (Int(offset), Int(length))
    }
}
