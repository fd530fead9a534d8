/// What subschemas said of values. Without it a schema whose branches lead to the same subschemas could
/// look at one value as often as there are ways to it, which doubles with every level.
struct EvaluationMemory {
    private let slots: Cells<Slot>
    private let epoch: Cells<UInt32>
    private let shift: UInt64
    private let factor: UInt64

    /// What a subschema said of a value.
    struct Finding: BitwiseCopyable {
        /// What it violates, for messages; no step for one that is valid.
        var failedStep: Int32
        var failedEntry: Int32
        /// Whether it marked what it had looked at: then it has to be looked at again for that.
        var hasMarked: Bool

        var isValid: Bool { failedStep < 0 }
    }

    private struct Slot: BitwiseCopyable {
        var epoch: UInt32 = 0
        /// The dynamic scope that the subschema was in.
        var scope: Int32 = 0
        var step: Int32 = 0
        var value: Int32 = 0
        var finding = Finding(failedStep: 0, failedEntry: 0, hasMarked: false)
    }

    /// Places that are looked at. What finds all of them taken is not remembered.
    private static let probesMax = 8

    init(entries: Int) {
        var bits: UInt64 = 8
        while 1 << bits < entries / 2 && bits < 16 { bits += 1 }
        shift = 64 - bits
        factor = KeySeed.process.factor
        slots = Cells(count: 1 << bits + Self.probesMax, repeating: Slot())
        epoch = Cells(count: 1, repeating: 0)
    }

    func free() {
        slots.free()
        epoch.free()
    }

    func forgetAll() {
        if epoch[0] == .max {
            for index in 0..<slots.count { slots[index].epoch = 0 }
            epoch[0] = 0
        }
        epoch[0] &+= 1
    }

    private func first(_ step: Int, _ value: Int, _ scope: Int32) -> Int {
        let key = UInt64(truncatingIfNeeded: step) &<< 32 | UInt64(truncatingIfNeeded: value)
        return Int(((key ^ UInt64(truncatingIfNeeded: scope) &<< 24) &* factor) &>> shift)
    }

    func find(_ step: Int, _ value: Int, _ scope: Int32) -> Finding? {
        let first = first(step, value, scope)
        for index in first..<first &+ Self.probesMax {
            let slot = slots[index]
            if slot.epoch != epoch[0] { return nil }
            if Int(slot.step) == step && Int(slot.value) == value && slot.scope == scope {
                return slot.finding
            }
        }
        return nil
    }

    /// What is there already stays.
    func put(_ step: Int, _ value: Int, _ scope: Int32, _ finding: Finding) {
        let first = first(step, value, scope)
        for index in first..<first &+ Self.probesMax {
            let slot = slots[index]
            if slot.epoch == epoch[0] {
                if Int(slot.step) == step && Int(slot.value) == value && slot.scope == scope {
                    return
                }
                continue
            }
            slots[index] = Slot(
                epoch: epoch[0], scope: scope, step: Int32(truncatingIfNeeded: step),
                value: Int32(truncatingIfNeeded: value), finding: finding)
            return
        }
    }
}
