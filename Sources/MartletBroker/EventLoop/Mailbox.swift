import CMartletSystem
import Glibc
import Synchronization

/// Commands to a loop from other threads: rare ones, as values in a locked list. What crosses
/// loops per message goes through `LoopLink`, which wakes the same eventfd.
///
/// The owner says that it is about to sleep, looks once more, and sleeps; a sender leaves the command,
/// then looks whether the owner sleeps, and wakes it only then. Both sides use sequentially
/// consistent atomics, so one of them sees the other.
final class Mailbox<Command: Sendable>: Wakeable {
    /// The poller's token of the wakeup.
    static var token: UInt64 { UInt64.max }

    private struct Contents {
        var commands = Mailbox.roomForCommands()
        var isClosed = false
    }

    /// Pipes send some with each message: while a loop is held up so many may come without allocating.
    static func roomForCommands() -> [Command] {
        var commands: [Command] = []
        commands.reserveCapacity(16)
        return commands
    }

    private let contents = Guarded(Contents())
    private let commandsWait = Atomic<Bool>(false)
    private let isPending = Atomic<Bool>(false)
    private let isSleeping = Atomic<Bool>(false)
    /// An eventfd of the mailbox's own: whoever still holds the mailbox may wake it when the loop is gone.
    private let wakeup: Int32

    init() throws(SystemFailure) {
        wakeup = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard wakeup >= 0 else { throw SystemFailure("eventfd") }
    }

    deinit {
        Glibc.close(wakeup)
    }

    /// Lets the poller's wait end when somebody wakes it.
    func attach(to poller: Poller) throws(SystemFailure) {
        try poller.add(wakeup, token: Self.token, for: .readable)
    }

    /// Whether there is anything to collect; one load, no lock.
    @inline(__always)
    var hasMail: Bool { isPending.load(ordering: .acquiring) }

    /// Whether there are commands to collect; one load, no lock.
    @inline(__always)
    var hasCommands: Bool { commandsWait.load(ordering: .acquiring) }

    /// False when the owner is gone: the command will not be read.
    @discardableResult
    @inline(never)
    func post(_ command: Command) -> Bool {
        let isOpen = contents.withLock { contents in
            if !contents.isClosed { contents.commands.append(command) }
            return !contents.isClosed
        }
        guard isOpen else { return false }
        commandsWait.store(true, ordering: .releasing)
        wake()
        return true
    }

    /// Tells the owner that something waits for it, here or in a `LoopLink`.
    @inline(__always)
    func wake() {
        isPending.store(true, ordering: .sequentiallyConsistent)
        if isSleeping.load(ordering: .sequentiallyConsistent) {
            var one: UInt64 = 1
            _ = unsafe write(wakeup, &one, 8)
        }
    }

    /// The owner's: resets the eventfd that ended its wait.
    func drainWakeup() {
        var count: UInt64 = 0
        _ = unsafe Glibc.read(wakeup, &count, 8)
    }

    /// The owner's: says that it has seen the wakeup. Whatever was posted before this call is visible after it.
    @inline(__always)
    func acknowledge() {
        _ = isPending.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// The owner's: exchanges all commands so far for an empty list, whose memory serves the next ones.
    /// No lock when there are none.
    func collect(into commands: inout [Command]) {
        guard commandsWait.exchange(false, ordering: .acquiring) else { return }
        contents.withLock { swap(&$0.commands, &commands) }
    }

    /// The owner's: all commands so far.
    func collect() -> [Command] {
        var commands: [Command] = []
        collect(into: &commands)
        return commands
    }

    /// The owner's last act: takes what is left, and no more comes.
    func close() -> [Command] { takeAll(closing: true) }

    private func takeAll(closing: Bool) -> [Command] {
        contents.withLock { contents in
            let all = contents.commands
            contents.commands = []
            contents.isClosed = contents.isClosed || closing
            return all
        }
    }

    /// The owner's: false when there is mail, so that it must not sleep.
    @inline(__always)
    func prepareToSleep() -> Bool {
        isSleeping.store(true, ordering: .sequentiallyConsistent)
        if isPending.load(ordering: .sequentiallyConsistent) {
            isSleeping.store(false, ordering: .sequentiallyConsistent)
            return false
        }
        return true
    }

    /// The owner's. A sender that still sees it asleep makes one write too many.
    @inline(__always)
    func awake() {
        isSleeping.store(false, ordering: .releasing)
    }
}
