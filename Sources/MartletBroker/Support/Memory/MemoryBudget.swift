import Synchronization

/// How many bytes the pools of all loops may take from the system together: `max_memory`.
///
/// Pools ask here once a slab, not once a block, so the shared counter is cold. A part of a budget has a limit of
/// its own, and what it takes is the whole one's too.
final class MemoryBudget: Sendable {
    let bytesMax: Int
    private let whole: MemoryBudget?
    private let used = Atomic<Int>(0)
    private let taken = Atomic<Int>(0)
    private let takenAt = Atomic<UInt64>(0)

    init(bytesMax: Int, partOf whole: MemoryBudget? = nil) {
        self.bytesMax = bytesMax
        self.whole = whole
    }

    var usedBytes: Int { used.load(ordering: .relaxed) }

    /// How often memory was taken, and when last, in nanoseconds since 1970. Once warm, it stays.
    var allocations: Int { taken.load(ordering: .relaxed) }
    var lastAllocationAt: UInt64 { takenAt.load(ordering: .relaxed) }

    private func recordAllocation() {
        taken.wrappingAdd(1, ordering: .relaxed)
        takenAt.store(Clock.wallNanoseconds(), ordering: .relaxed)
    }

    /// Less than a sixteenth is left.
    var isNearlySpent: Bool { usedBytes > bytesMax - bytesMax / 16 }

    /// Takes `count` bytes if they are there.
    func reserve(_ count: Int) -> Bool {
        let before = used.wrappingAdd(count, ordering: .relaxed).oldValue
        guard before + count <= bytesMax, whole?.reserve(count) ?? true else {
            used.wrappingSubtract(count, ordering: .relaxed)
            return false
        }
        recordAllocation()
        return true
    }

    /// Takes bytes that cold paths cannot do without (a subscription that was accepted).
    func reserveAlways(_ count: Int) {
        used.wrappingAdd(count, ordering: .relaxed)
        whole?.reserveAlways(count)
        recordAllocation()
    }

    /// Counts memory that has come, or gone where it is negative, without a word of the pools'.
    func charge(_ count: Int) {
        used.wrappingAdd(count, ordering: .relaxed)
        whole?.charge(count)
    }

    func release(_ count: Int) {
        used.wrappingSubtract(count, ordering: .relaxed)
        whole?.release(count)
    }
}
