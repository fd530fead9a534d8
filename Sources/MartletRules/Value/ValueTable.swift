/// A constant among many, by its hash.
struct ValueSlot: BitwiseCopyable {
    var hash: UInt64 = 0
    /// Its entry, or -1 for an empty slot.
    var constant: Int32 = -1
}

extension Values {
    /// A table of constants by hash, at most half full.
    func table(of constants: [Int], depth: Int) -> [ValueSlot] {
        var count = 16
        while count < 2 * constants.count { count *= 2 }
        var slots = [ValueSlot](repeating: ValueSlot(), count: count)
        let stack = ValueStack(depth: depth)
        defer { stack.free() }
        for constant in constants {
            var work = Work(.max)
            let hash = hash(constant, .process, stack, &work)
            var place = Int(truncatingIfNeeded: hash) & (count - 1)
            while slots[place].constant >= 0 {
                place = (place + 1) & (count - 1)
            }
            slots[place] = ValueSlot(hash: hash, constant: Int32(constant))
        }
        return slots
    }

    /// Whether a value of the document is one of these constants, whose table is `count` slots from
    /// `start` on.
    func contains(
        _ value: Int, of document: Values, _ slots: Cells<ValueSlot>, start: Int, count: Int,
        _ comparison: ValueComparison, _ work: inout Work
    ) -> Bool {
        let hash = document.hash(value, comparison.seed, comparison.stack, &work)
        if work.left < 0 { return false }
        var place = Int(truncatingIfNeeded: hash) & (count &- 1)
        while case let slot = slots[start &+ place], slot.constant >= 0 {
            if slot.hash == hash,
                areEqual(Int(slot.constant), document, value, comparison, &work)
            {
                return true
            }
            place = (place &+ 1) & (count &- 1)
        }
        return false
    }
}
