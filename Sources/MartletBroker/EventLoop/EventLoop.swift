/// What an `EventLoop` runs. The loop is generic over it, so that its calls are direct.
protocol EventLoopDriver: AnyObject {
    /// A descriptor with this token is ready.
    func descriptorIsReady(_ token: UInt64, _ readiness: Readiness)
    /// Someone rang: takes letters and batches.
    func collectMail()
    /// A deadline that was set for this slot has come.
    func deadlineHasCome(_ deadline: UInt64, for handle: SlabHandle)
    /// Goes on with work that an earlier turn put off.
    func resumeWork()
    /// Everything of this turn is done: posts batches and writes sockets.
    func endTurn()
    /// Whether work is left that must not wait for a descriptor.
    var hasWorkLeft: Bool { get }
    var isStopping: Bool { get }
    var mail: Mailbox<LoopLetter> { get }
    /// Time as of this turn; the loop sets it once a turn.
    var now: UInt64 { get set }
    /// Told how long a turn took, waiting not counted.
    func turnTook(_ nanoseconds: UInt64)
}

/// One thread's loop: wait, handle what is ready, collect mail, run timers, end the turn.
@safe
struct EventLoop {
    let poller: Poller
    let timers: Timers
    let clock: Clock

    /// Runs turns until the driver says stop.
    func run<Driver: EventLoopDriver>(_ driver: Driver) {
        while !driver.isStopping {
            turn(driver, waits: true)
        }
    }

    /// One turn. A simulation runs single turns that do not wait.
    @inline(__always)
    func turn<Driver: EventLoopDriver>(_ driver: Driver, waits: Bool) {
        let count = unsafe clock.virtualTime == nil ? wait(driver, waits: waits) : 0
        let started = clock.now()
        driver.now = started
        for i in 0..<count {
            let event = poller.event(i)
            if event.token == Mailbox<LoopLetter>.token {
                driver.mail.silence()
            } else {
                driver.descriptorIsReady(event.token, event.readiness)
            }
        }
        if driver.mail.isRung { driver.collectMail() }
        if timers.nextDeadline <= started { runTimers(driver, started) }
        driver.resumeWork()
        driver.endTurn()
        driver.turnTook(clock.now() &- started)
    }

    @inline(__always)
    private func wait<Driver: EventLoopDriver>(_ driver: Driver, waits: Bool) -> Int {
        guard waits, !driver.hasWorkLeft else { return poller.wait(timeoutMilliseconds: 0) }
        guard driver.mail.prepareToSleep() else { return poller.wait(timeoutMilliseconds: 0) }
        defer { driver.mail.awake() }
        return poller.wait(timeoutMilliseconds: millisecondsToNextDeadline())
    }

    /// Rounded up, so that a timer that fires is due.
    private func millisecondsToNextDeadline() -> Int32 {
        let next = timers.nextDeadline
        guard next != .max else { return -1 }
        let now = clock.now()
        guard next > now else { return 0 }
        return Int32(clamping: (next - now + 999_999) / 1_000_000)
    }

    @inline(never)
    private func runTimers<Driver: EventLoopDriver>(_ driver: Driver, _ now: UInt64) {
        while let entry = timers.popDue(at: now) {
            driver.deadlineHasCome(entry.deadline, for: entry.handle)
        }
    }
}
