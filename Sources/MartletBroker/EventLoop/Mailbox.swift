import Synchronization

/// Letters to a loop from other threads: rare ones, as values in a locked list. What crosses
/// loops per message goes through `LoopLink`, which rings the same bell.
///
/// The owner says that it is about to sleep, looks once more, and sleeps; a sender leaves the letter,
/// then looks whether the owner sleeps, and wakes it only then. Both sides use sequentially
/// consistent atomics, so one of them sees the other.
final class Mailbox<Letter: Sendable>: Sendable {
    private struct Box {
        var letters: [Letter] = []
        var isClosed = false
    }

    private let box = Mutex(Box())
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

    /// False when the owner has ended: nobody will read the letter.
    @discardableResult
    func post(_ letter: Letter) -> Bool {
        box.withLock { box in
            guard !box.isClosed else { return false }
            box.letters.append(letter)
            hasLetters.store(true, ordering: .releasing)
            // Under the lock, because after `close` the poller may be gone.
            ring()
            return true
        }
    }

    /// The owner's last act: takes the letters that are left, and accepts no more.
    func close() -> [Letter] {
        box.withLock { box in
            let all = box.letters
            box.letters = []
            box.isClosed = true
            return all
        }
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
        return box.withLock { box in
            let all = box.letters
            box.letters = []
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
