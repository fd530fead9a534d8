/// What an `EventLoop` runs. The loop is generic over it, so that its calls are direct.
protocol EventLoopDriver: AnyObject {
    /// What other threads may ask of the loop.
    associatedtype Command: Sendable
    /// A descriptor with this token is ready.
    func descriptorIsReady(_ token: UInt64, _ readiness: Readiness)
    /// Someone woke the loop: takes commands and batches.
    func collectMail()
    /// A deadline of this owner's has come.
    func deadlineHasCome(_ deadline: UInt64, for owner: TimerOwner)
    /// Goes on with work that an earlier turn put off.
    func resumeWork()
    /// Everything of this turn is done: posts batches and writes sockets.
    func endTurn()
    /// Whether work is left that must not wait for a descriptor.
    var hasWorkLeft: Bool { get }
    /// When output that is held back must leave; the largest number when none is.
    var outputDueAt: UInt64 { get }
    /// How long to look for events before sleeping, while they are expected to come in that time.
    var spinNanoseconds: UInt64 { get }
    /// How long a turn handles events before it ends, and the next one goes on with the rest.
    var turnNanosecondsMax: UInt64 { get }
    /// Whether turns are measured by what the thread runs, not by the time that passes.
    var measuresThreadTime: Bool { get }
    var isStopping: Bool { get }
    var mail: Mailbox<Command> { get }
    /// Told what the clock said before each event and when it was last looked at.
    func clockWasRead(_ now: UInt64)
    /// Time as of this turn; the loop sets it once a turn.
    var now: UInt64 { get set }
    /// Told how long a turn took, waiting not counted, and how many descriptors were ready.
    func turnTook(_ nanoseconds: UInt64, events: Int)
}

/// One thread's loop: wait, handle what is ready, collect mail, run timers, end the turn.
///
/// SAFETY: used by its loop's thread only; what it holds is freed by `destroy()`, after the last
/// turn.
@safe
struct EventLoop {
    let poller: Poller
    let timers: Timers
    let wakeupTimer: WakeupTimer
    let clock: Clock
    private let forecast = StablePointer(allocating: EventForecast())

    init(clock: Clock) throws(SystemFailure) {
        poller = try Poller()
        timers = Timers()
        wakeupTimer = try WakeupTimer(on: poller)
        self.clock = clock
    }

    func destroy() {
        forecast.destroy()
        wakeupTimer.destroy()
        timers.destroy()
        poller.destroy()
    }

    /// Runs turns until the driver says stop.
    func run<Driver: EventLoopDriver>(_ driver: Driver) {
        while !driver.isStopping {
            turn(driver, waits: true)
        }
    }

    /// One turn. A simulation runs single turns that do not wait.
    @inline(__always)
    func turn<Driver: EventLoopDriver>(_ driver: Driver, waits: Bool) {
        let hasWaited = unsafe clock.virtualTime == nil && !poller.hasEvents && wait(driver, waits)
        let started = clock.now()
        if hasWaited, driver.spinNanoseconds > 0 {
            forecast.pointee.record(gap: started &- driver.now, limit: driver.spinNanoseconds)
        }
        driver.now = started
        driver.clockWasRead(started)
        let threadStarted = driver.measuresThreadTime ? Clock.threadNanoseconds() : nil
        var count = 0
        while let event = poller.takeEvent() {
            count += 1
            if event.token == Mailbox<Driver.Command>.token {
                driver.mail.drainWakeup()
            } else if event.token == WakeupTimer.token {
                wakeupTimer.hasFired()
            } else {
                driver.descriptorIsReady(event.token, event.readiness)
            }
            guard poller.hasEvents else { break }
            let now = clock.now()
            guard now &- started <= driver.turnNanosecondsMax else { break }
            driver.clockWasRead(now)
        }
        if driver.mail.hasMail { driver.collectMail() }
        if timers.nextDeadline <= started { runTimers(driver, started) }
        driver.resumeWork()
        driver.endTurn()
        let ended = clock.now()
        let worked = threadStarted.map { Clock.threadNanoseconds() &- $0 }
        driver.turnTook(worked ?? ended &- started, events: count)
        // The wait is reckoned from here: a look at the clock costs 35 instructions.
        driver.now = ended
    }

    /// Whether it was to wait: no work was left.
    @inline(__always)
    private func wait<Driver: EventLoopDriver>(_ driver: Driver, _ waits: Bool) -> Bool {
        guard waits, !driver.hasWorkLeft else {
            poller.wait(timeoutMilliseconds: 0)
            return false
        }
        if driver.spinNanoseconds > 0, forecast.pointee.expectsOneSoon, spin(driver) { return true }
        guard driver.mail.prepareToSleep() else {
            poller.wait(timeoutMilliseconds: 0)
            return true
        }
        defer { driver.mail.awake() }
        if driver.outputDueAt != .max {
            let left = max(driver.outputDueAt, driver.now) - driver.now
            poller.wait(timeoutNanoseconds: left)
            return true
        }
        wakeupTimer.set(for: timers.nextDeadline)
        poller.wait(timeoutMilliseconds: -1)
        return true
    }

    /// Looks for events without sleeping, until a deadline comes or it has been long enough; false then.
    @inline(never)
    private func spin<Driver: EventLoopDriver>(_ driver: Driver) -> Bool {
        let end = min(
            driver.now &+ driver.spinNanoseconds, min(timers.nextDeadline, driver.outputDueAt))
        repeat {
            poller.wait(timeoutMilliseconds: 0)
            if poller.hasEvents || driver.mail.hasMail { return true }
        } while clock.now() < end
        return false
    }

    @inline(never)
    private func runTimers<Driver: EventLoopDriver>(_ driver: Driver, _ now: UInt64) {
        while let entry = timers.popDue(at: now) {
            driver.deadlineHasCome(entry.deadline, for: entry.owner)
        }
    }
}
