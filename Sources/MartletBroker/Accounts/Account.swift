/// An isolated space of subjects. Every connection belongs to one; `$G` is the one by default.
@safe
final class Account: @unchecked Sendable {
    let name: String
    /// Its place in the directory; `$G` has 0.
    let index: Int
    /// SAFETY: allocated for the account's life; what changes in it is under its own lock or atomic.
    let space: SubjectSpaceRef

    init(name: String, index: Int, budget: MemoryBudget, seed: UInt64) {
        self.name = name
        self.index = index
        // Each with a seed of its own, or the same subject in many accounts would be many keys for one set
        // of a match cache.
        let seed = seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15
        space = SubjectSpaceRef(
            allocating: SubjectSpace(account: index, budget: budget, seed: seed))
    }

    deinit {
        space.destroy()
    }
}
