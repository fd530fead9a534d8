/// A value somewhere else that knows the hash by which it is found.
protocol TableKeyed {
    var tableHash: UInt32 { get }
}

/// A reference in a table.
struct ReferenceEntry<Pointee: TableKeyed>: TableEntry {
    private let reference: StablePointer<Pointee>?

    static var empty: ReferenceEntry { ReferenceEntry() }

    private init() { reference = nil }

    init(_ reference: StablePointer<Pointee>) { self.reference = reference }

    @inline(__always)
    var isEmpty: Bool { reference == nil }

    /// Of an entry that is not empty.
    @inline(__always)
    var value: StablePointer<Pointee> { unsafe reference.unsafelyUnwrapped }

    @inline(__always)
    var hash: UInt32 { value.pointee.tableHash }
}
