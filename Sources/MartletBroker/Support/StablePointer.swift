/// A value at an address that stays valid while the reference is in use: a slot of a slab, a block of a
/// pool. It costs what a pointer costs, counts nothing, and cannot be moved or indexed.
///
/// SAFETY: whoever makes one promises that the value is initialised and stays where it is until its
/// owner gives it back, and that only the owner's thread writes to it (its atomics apart). The owners
/// are named where references are made: `Slab`, `BlockPool`, `BrokerLoop`, `AccountDirectory`.
@safe
struct StablePointer<Pointee: ~Copyable>: Equatable, @unchecked Sendable {
    private let pointer: UnsafeMutablePointer<Pointee>

    /// An initialised value that `pointer` points to.
    @inline(__always)
    @unsafe init(_ pointer: UnsafeMutablePointer<Pointee>) {
        unsafe self.pointer = pointer
    }

    /// Initialises a block with a value.
    @inline(__always)
    @unsafe init(in block: UnsafeMutableRawPointer, _ value: consuming Pointee) {
        unsafe pointer = block.assumingMemoryBound(to: Pointee.self)
        unsafe pointer.initialize(to: value)
    }

    /// A value of its own, until `destroy()`.
    init(allocating value: consuming Pointee) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: value)
    }

    /// As `init(allocating:)`, but nothing else stands on its cache lines (in pairs, as they are fetched):
    /// what one loop writes with every message must not slow down another that has its own beside it.
    init(onLinesOfItsOwn value: consuming Pointee) {
        let lines = 128
        let byteCount = (MemoryLayout<Pointee>.size + lines - 1) & ~(lines - 1)
        let block = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: lines)
        unsafe pointer = block.assumingMemoryBound(to: Pointee.self)
        unsafe pointer.initialize(to: value)
    }

    /// Ends a value made by `init(allocating:)` or `init(onLinesOfItsOwn:)`.
    func destroy() {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    @inline(__always)
    var pointee: Pointee {
        unsafeAddress { unsafe UnsafePointer(pointer) }
        nonmutating unsafeMutableAddress { unsafe pointer }
    }

    /// The block that the value stands in.
    @inline(__always)
    var block: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(pointer) }

    /// The address as a number, for atomics, and back again.
    @inline(__always)
    var bits: UInt { unsafe UInt(bitPattern: pointer) }

    @inline(__always)
    @unsafe init?(bits: UInt) {
        guard let pointer = unsafe UnsafeMutablePointer<Pointee>(bitPattern: bits) else {
            return nil
        }
        unsafe self.pointer = pointer
    }

    @inline(__always)
    static func == (a: StablePointer, b: StablePointer) -> Bool { unsafe a.pointer == b.pointer }
}
