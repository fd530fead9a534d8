import Glibc
import Synchronization

/// The thread that a value belongs to while it has one, so that debug builds can check it.
///
/// Before a thread claims it and after it lets go, whoever sets it up or takes it apart has it, and a
/// simulation throughout: `isCurrent` is then true on every thread.
struct OwningThread: ~Copyable {
    private let id = Atomic<UInt>(0)

    /// This thread's from now on.
    func claim() { id.store(Self.current, ordering: .relaxed) }

    /// Nobody's; called on the thread that has claimed it.
    func letGo() { id.store(0, ordering: .relaxed) }

    var isCurrent: Bool {
        let owner = id.load(ordering: .relaxed)
        return owner == 0 || owner == Self.current
    }

    private static var current: UInt { UInt(pthread_self()) }
}
