import Synchronization

/// An isolated space of subjects. Every connection belongs to one; `$G` is the one by default.
///
/// Whatever holds for everybody in an account belongs here, where a connection reaches it by one
/// reference: limits, default permissions, mappings and imports, once there are any. Threads of all loops
/// read it, so what changes is atomic or has a lock, as in `SubjectSpace`.
struct Account: ~Copyable {
    /// First, so that its address is the account's: the path reaches it without another load.
    let space: SubjectSpace
    let name: String
    /// Its place in the directory; `$G` has 0.
    let index: Int
    /// When the log told last that somebody in it has too many subscriptions; 0 before.
    let limitLoggedAt = Atomic<UInt64>(0)

    init(name: String, index: Int, budget: MemoryBudget, seed: UInt64) {
        self.name = name
        self.index = index
        // Each with a seed of its own, or the same subject in many accounts would be many keys for one set
        // of a match cache.
        space = SubjectSpace(
            budget: budget, seed: seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
    }
}

/// `AccountDirectory` makes accounts, and keeps each for its own life.
typealias AccountRef = StablePointer<Account>

extension StablePointer where Pointee == Account {
    /// The account's subjects, for caches and trees, which know no accounts.
    @inline(__always)
    var space: SubjectSpaceRef {
        unsafe SubjectSpaceRef(block.assumingMemoryBound(to: SubjectSpace.self))
    }
}
