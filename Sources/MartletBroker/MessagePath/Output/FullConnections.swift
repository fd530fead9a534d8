// Message path, beside SlowConsumer.swift: which subscribers of a loop have no room.

import Synchronization

/// The connections of a loop that had no room for a queue group's message when it last came to that, by
/// slot. Other loops look here before they choose a member; a moment later it may be otherwise, for which
/// `BatchRecord` has a second chance.
///
/// SAFETY: an atomic byte for every slot that a slab may have, zero at first, until `release()`; the system
/// maps those that were written.
@safe
struct FullConnections {
    private let memory: ReservedMemory

    init() throws(SystemFailure) {
        memory = try ReservedMemory(byteCount: Slab<Connection>.slotsMax)
    }

    @inline(__always)
    func contains(_ slot: UInt32) -> Bool {
        unsafe place(of: slot).pointee.load(ordering: .relaxed) != 0
    }

    /// Of the loop whose connections these are.
    func insert(_ slot: UInt32) { unsafe place(of: slot).pointee.store(1, ordering: .relaxed) }

    /// Of the loop whose connections these are.
    @inline(__always)
    func remove(_ slot: UInt32) {
        if contains(slot) { unsafe place(of: slot).pointee.store(0, ordering: .relaxed) }
    }

    @inline(__always)
    private func place(of slot: UInt32) -> UnsafeMutablePointer<Atomic<UInt8>> {
        assert(Int(slot) < memory.byteCount)
        return unsafe UnsafeMutableRawPointer(memory.bytes + Int(slot))
            .assumingMemoryBound(to: Atomic<UInt8>.self)
    }

    func release() { memory.release() }
}
