import Logging
import Synchronization

/// What the supervisor saw of a connection.
struct HandlerWatch {
    /// Since when the pipe has been full without anybody taking from it.
    var fullSince: UInt64 = 0
    var takes = -1
    /// What comes is refused until the handler goes on.
    var isShedding = false
}

/// One thread looks after all handlers every 50 ms while there is something to do: it adds threads when
/// all are held by handlers that take long, refuses requests that a handler does not get to, and opens
/// connections again that the broker has closed.
extension HandlerPool {
    static let tickNanoseconds: UInt64 = 50_000_000
    /// How long requests may stand still in front of a handler before more of them are refused.
    static let busyNanoseconds: UInt64 = 500_000_000
    /// Ticks without any turn after which it sleeps until somebody is put in line.
    private static let quietTicksMax = 20

    func startSupervisor() {
        let starts = lock.withLock {
            defer { supervisorRuns = true }
            return !supervisorRuns
        }
        guard starts else { return }
        do {
            _ = try NativeThread(name: "handler-watch") { [self] in supervise() }
        } catch {
            logger.error("Error starting the thread that looks after handlers: \(error)")
            recordSupervisorEnded()
        }
    }

    private func supervise() {
        var quietTicks = 0
        while !isOver {
            let (open, lost, isQuiet) = look()
            for connection in open { connection.shedIfBusy() }
            for connection in lost where !reopen(connection) {
                lock.withLock { lostConnections.append(connection) }
            }
            quietTicks = isQuiet && lost.isEmpty ? quietTicks + 1 : 0
            if quietTicks < Self.quietTicksMax {
                supervisorSignal.wait(atMost: Self.tickNanoseconds)
            } else {
                lock.withLock { supervisorSleeps = true }
                supervisorSignal.wait(atMost: 1_000_000_000_000)
                quietTicks = 0
            }
        }
        recordSupervisorEnded()
    }

    private func look() -> ([HandlerConnection], [HandlerConnection], isQuiet: Bool) {
        lock.withLock {
            if isStuck { addThread() }
            let isQuiet = turns == 0 && !hasLine && !hasBusyThreads
            turns = 0
            defer { lostConnections = [] }
            return (connections, lostConnections, isQuiet)
        }
    }

    /// True when there is nothing more to do for it.
    private func reopen(_ lost: HandlerConnection) -> Bool {
        let service = lost.service
        guard !service.isCancelled, let broker = lost.broker, broker.isRunning,
            !broker.isLameDuck
        else {
            service.remove(lost)
            return true
        }
        do throws(BrokerError) {
            let connection = try HandlerConnection.open(service, on: broker)
            logger.notice("handler of \"\(service.subject)\": connected again")
            service.remove(lost)
            if !service.add(connection) { connection.drain() }
            return true
        } catch {
            logger.error("handler of \"\(service.subject)\": cannot connect again: \(error)")
            return false
        }
    }
}

extension HandlerConnection {
    /// The supervisor's look: refuses what waits when nothing has moved for too long.
    func shedIfBusy() {
        let now = Clock.monotonicNanoseconds()
        let takesNow = takes.load(ordering: .relaxed)
        guard takesNow == watch.takes else {
            watch = HandlerWatch(fullSince: 0, takes: takesNow)
            return
        }
        if watch.isShedding { return shed() }
        guard pipe.isFullForPeer else {
            watch.fullSince = 0
            return
        }
        if watch.fullSince == 0 { watch.fullSince = now }
        guard now &- watch.fullSince >= HandlerPool.busyNanoseconds else { return }
        watch.isShedding = true
        service.logger.warning(
            "handler of \"\(service.subject)\" is busy: requests are refused until it goes on")
        shed()
    }

    /// Answers everything in the pipe, and behind it in the broker, with 503. What the handler's thread has
    /// taken out already stays its own.
    private func shed() {
        reading.lock()
        defer { reading.unlock() }
        input.giveUpRest()
        let header = ServiceError.busy.header
        while !isClosed {
            let end = unsafe shedInput.visit { frame, bytes in
                if frame.kind == .message {
                    unsafe refuse(frame, bytes, header)
                } else {
                    unsafe take(control: frame, bytes)
                }
                return true
            }
            // Whoever serves next finds the end of the pipe, or the broken frame, by itself.
            guard end == .exhausted, fill(shedInput), !shedInput.isEmpty else { return }
        }
    }

    private func refuse(_ frame: ServerFrame, _ bytes: Bytes, _ header: [UInt8]) {
        service.refusedRequests.wrappingAdd(1, ordering: .relaxed)
        guard outlet.canReply(to: frame.reply.length) else { return }
        let subject = unsafe UnsafeRawBufferPointer(
            start: bytes.at(frame.reply), count: frame.reply.length)
        unsafe header.withUnsafeBytes { header in
            // Nobody waits here: a refusal that finds the pipe full is not sent.
            let header = unsafe outlet.hasHeaders ? header : .init(rebasing: header[..<0])
            unsafe outlet.send(
                to: subject, header: header, payload: .init(start: nil, count: 0), waits: false)
        }
    }
}
