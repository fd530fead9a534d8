import Synchronization

/// Letters to a loop from other threads: rare ones, as values in a locked list. What crosses
/// loops per message goes through `LoopLink`, which rings the same bell.
///
/// The owner says that it is about to sleep, looks once more, and sleeps; a sender leaves the letter,
/// then looks whether the owner sleeps, and wakes it only then. Both sides use sequentially
/// consistent atomics, so one of them sees the other.
final class Mailbox<Letter: Sendable>: Sendable {
    private let letters = Mutex<[Letter]>([])
    private let hasLetters = Atomic<Bool>(false)
    private let hasMail = Atomic<Bool>(false)
    private let isSleeping = Atomic<Bool>(false)
    private let poller: Poller

    init(waking poller: Poller) {
        self.poller = poller
    }

    /// Whether there is anything to collect; one load, no lock.
    @inline(__always)
    var isRung: Bool { hasMail.load(ordering: .acquiring) }

    func post(_ letter: Letter) {
        letters.withLock { $0.append(letter) }
        hasLetters.store(true, ordering: .releasing)
        ring()
    }

    /// Tells the owner that something waits for it, here or in a `LoopLink`.
    @inline(__always)
    func ring() {
        hasMail.store(true, ordering: .sequentiallyConsistent)
        if isSleeping.load(ordering: .sequentiallyConsistent) { poller.wake() }
    }

    /// The owner's: answers the bell. Whatever was posted before this call is visible after it.
    @inline(__always)
    func answer() {
        _ = hasMail.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// The owner's: all letters so far. No lock when there is none.
    func collect() -> [Letter] {
        guard hasLetters.exchange(false, ordering: .acquiring) else { return [] }
        return letters.withLock { list in
            let all = list
            list = []
            return all
        }
    }

    /// The owner's: false when there is mail, so that it must not sleep.
    @inline(__always)
    func prepareToSleep() -> Bool {
        isSleeping.store(true, ordering: .sequentiallyConsistent)
        if hasMail.load(ordering: .sequentiallyConsistent) {
            isSleeping.store(false, ordering: .sequentiallyConsistent)
            return false
        }
        return true
    }

    @inline(__always)
    func awake() {
        isSleeping.store(false, ordering: .sequentiallyConsistent)
    }
}
