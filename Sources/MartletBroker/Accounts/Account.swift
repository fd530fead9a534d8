/// An isolated space of subjects. Every connection belongs to one; `$G` is the one by default.
final class Account: @unchecked Sendable {
    let name: String
    /// SAFETY: allocated for the account's life; what changes in it is under its own lock or atomic.
    let space: SubjectSpaceRef

    init(name: String, budget: MemoryBudget, seed: UInt64) {
        self.name = name
        space = .allocate(capacity: 1)
        space.initialize(to: SubjectSpace(budget: budget, seed: seed))
    }

    deinit {
        space.deinitialize(count: 1)
        space.deallocate()
    }
}
