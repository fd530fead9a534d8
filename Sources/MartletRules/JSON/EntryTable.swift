/// Entries of a tape by hash: for the keys of large objects and for unique elements. Forgetting all
/// is one addition.
struct EntryTable {
    /// The epoch in the high half, the entry in the low one.
    private let slots: Cells<UInt64>
    /// What an entry belongs to.
    private let owners: Cells<UInt32>
    private let epoch: Cells<UInt32>
    private let mask: Int

    init(entries: Int) {
        var size = 16
        while size < 2 * entries { size *= 2 }
        slots = Cells(count: size, repeating: 0)
        owners = Cells(count: size, repeating: 0)
        epoch = Cells(count: 1, repeating: 0)
        mask = size - 1
    }

    func free() {
        slots.free()
        owners.free()
        epoch.free()
    }

    @inline(__always)
    func forgetAll() {
        if epoch[0] == .max { clear() }
        epoch[0] &+= 1
    }

    @inline(never)
    private func clear() {
        for i in 0..<slots.count { slots[i] = 0 }
        epoch[0] = 0
    }

    @inline(__always)
    func firstSlot(_ hash: UInt32) -> Int { Int(hash) & mask }

    @inline(__always)
    func slot(after slot: Int) -> Int { (slot &+ 1) & mask }

    /// The entry in a slot, or -1.
    @inline(__always)
    func entry(at slot: Int) -> Int {
        let found = slots[slot]
        return UInt32(truncatingIfNeeded: found &>> 32) == epoch[0]
            ? Int(UInt32(truncatingIfNeeded: found)) : -1
    }

    @inline(__always)
    func owner(at slot: Int) -> Int { Int(owners[slot]) }

    @inline(__always)
    func put(_ entry: Int, of owner: Int, at slot: Int) {
        slots[slot] = UInt64(epoch[0]) &<< 32 | UInt64(truncatingIfNeeded: entry)
        owners[slot] = UInt32(truncatingIfNeeded: owner)
    }
}
