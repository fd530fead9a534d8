import CMartletSystem
import Glibc
import Synchronization

/// Letters to a loop from other threads: rare ones, as values in a locked list. What crosses
/// loops per message goes through `LoopLink`, which rings the same bell.
///
/// The owner says that it is about to sleep, looks once more, and sleeps; a sender leaves the letter,
/// then looks whether the owner sleeps, and wakes it only then. Both sides use sequentially
/// consistent atomics, so one of them sees the other.
final class Mailbox<Letter: Sendable>: Sendable {
    /// The poller's token of the bell.
    static var token: UInt64 { UInt64.max }

    private struct Contents {
        var letters = Mailbox.roomForLetters()
        var isClosed = false
    }

    /// Pipes send some with each message: while a loop is held up so many may come without allocating.
    static func roomForLetters() -> [Letter] {
        var letters: [Letter] = []
        letters.reserveCapacity(16)
        return letters
    }

    private let contents = Guarded(Contents())
    private let hasLetters = Atomic<Bool>(false)
    private let hasMail = Atomic<Bool>(false)
    private let isSleeping = Atomic<Bool>(false)
    /// An eventfd of the mailbox's own: whoever still holds the mailbox may ring when the loop is gone.
    private let bell: Int32

    init() throws(SystemFailure) {
        bell = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard bell >= 0 else { throw SystemFailure("eventfd") }
    }

    deinit {
        Glibc.close(bell)
    }

    /// Lets the poller's wait end when somebody rings.
    func attach(to poller: Poller) throws(SystemFailure) {
        try poller.add(bell, token: Self.token, for: .readable)
    }

    /// Whether there is anything to collect; one load, no lock.
    @inline(__always)
    var isRung: Bool { hasMail.load(ordering: .acquiring) }

    /// Whether there are letters to collect; one load, no lock.
    @inline(__always)
    var isLettered: Bool { hasLetters.load(ordering: .acquiring) }

    /// False when the owner is gone: the letter will not be read.
    @discardableResult
    @inline(never)
    func post(_ letter: Letter) -> Bool {
        let isOpen = contents.withLock { contents in
            if !contents.isClosed { contents.letters.append(letter) }
            return !contents.isClosed
        }
        guard isOpen else { return false }
        hasLetters.store(true, ordering: .releasing)
        ring()
        return true
    }

    /// Tells the owner that something waits for it, here or in a `LoopLink`.
    @inline(__always)
    func ring() {
        hasMail.store(true, ordering: .sequentiallyConsistent)
        if isSleeping.load(ordering: .sequentiallyConsistent) {
            var one: UInt64 = 1
            _ = unsafe write(bell, &one, 8)
        }
    }

    /// The owner's: silences the bell that ended its wait.
    func silence() {
        var count: UInt64 = 0
        _ = unsafe Glibc.read(bell, &count, 8)
    }

    /// The owner's: answers the bell. Whatever was posted before this call is visible after it.
    @inline(__always)
    func answer() {
        _ = hasMail.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// The owner's: exchanges all letters so far for an empty list, whose memory serves the next ones.
    /// No lock when there are none.
    func collect(into letters: inout [Letter]) {
        guard hasLetters.exchange(false, ordering: .acquiring) else { return }
        contents.withLock { swap(&$0.letters, &letters) }
    }

    /// The owner's: all letters so far.
    func collect() -> [Letter] {
        var letters: [Letter] = []
        collect(into: &letters)
        return letters
    }

    /// The owner's last act: takes what is left, and no more comes.
    func close() -> [Letter] { takeAll(closing: true) }

    private func takeAll(closing: Bool) -> [Letter] {
        contents.withLock { contents in
            let all = contents.letters
            contents.letters = []
            contents.isClosed = contents.isClosed || closing
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

    /// The owner's: who still sees it asleep rings the bell once more than needed.
    @inline(__always)
    func awake() {
        isSleeping.store(false, ordering: .releasing)
    }
}
