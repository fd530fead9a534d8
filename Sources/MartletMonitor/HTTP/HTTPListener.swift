import Dispatch
import Glibc
import MartletBroker
import Synchronization

/// A small HTTP/1.1 server on one thread: every connection has a deadline, every request a size
/// limit, and there are never more than `exchangesMax` connections. Where there is no place or no descriptor
/// for another one, the oldest that has not sent a whole request makes room.
///
/// Answers are made by asynchronous work elsewhere and come back through `answers`; the thread
/// itself never waits for anything but `poll`. What takes long has a lane of its own, so that /healthz
/// never waits behind it.
final class HTTPListener: Sendable {
    typealias Handler = @Sendable (HTTPRequest) async -> HTTPResponse

    static let exchangesMax = 64

    let port: Int
    private let descriptor: Int32
    /// A pipe that interrupts `poll`.
    private let wakeUp: (read: Int32, write: Int32)
    private let handler: Handler
    private let isSlow: @Sendable (HTTPRequest) -> Bool
    private let executor = MonitorExecutor()
    private let slowExecutor = MonitorExecutor()
    private let answers = Guarded<[(id: UInt64, response: HTTPResponse)]>([])
    private let isStopping = Atomic<Bool>(false)
    private let stopped = DispatchSemaphore(value: 0)

    /// - Parameter isSlow: whether a request's answer takes long to make.
    init(
        host: String, port: Int, isSlow: @escaping @Sendable (HTTPRequest) -> Bool = { _ in false },
        handler: @escaping Handler
    ) throws(MonitorError) {
        do throws(ListeningSocket.Failure) {
            let place = HostAndPort(host: host, port: max(0, port))
            let socket = try ListeningSocket(place, backlog: 128)
            descriptor = socket.descriptor
            self.port = socket.port
        } catch {
            throw MonitorError(description: error.description)
        }
        self.handler = handler
        self.isSlow = isSlow
        wakeUp = try Self.makePipe()
        do {
            _ = try NativeThread(name: "monitoring") { self.run() }
        } catch {
            throw MonitorError(description: "cannot start the monitoring thread: \(error)")
        }
    }

    /// Closes everything; returns when the thread is done.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        wake()
        stopped.wait()
    }

    private func run() {
        var exchanges: [HTTPExchange] = []
        var slow = SlowLane()
        var nextID: UInt64 = 0
        while !isStopping.load(ordering: .relaxed) {
            let ready = waitForEvents(exchanges)
            let now = Self.now()
            if ready.contains(wakeUp.read) { drainWakeUp() }
            deliverAnswers(&exchanges, &slow, now: now)
            for index in exchanges.indices where ready.contains(exchanges[index].descriptor) {
                guard let request = exchanges[index].advance(now: now) else { continue }
                take(request, &exchanges[index], &slow, now: now)
            }
            startSlow(&slow, exchanges)
            exchanges.removeAll {
                let isOver = $0.phase == .over || $0.deadline <= now
                if isOver { close($0.descriptor) }
                return isOver
            }
            if ready.contains(descriptor) { accept(&exchanges, &nextID, now: now) }
        }
        for exchange in exchanges { close(exchange.descriptor) }
        close(descriptor)
        stopped.signal()
    }

    private func waitForEvents(_ exchanges: [HTTPExchange]) -> Set<Int32> {
        var polled = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeUp.read, events: Int16(POLLIN), revents: 0),
        ]
        polled += exchanges.map { pollfd(fd: $0.descriptor, events: $0.interest, revents: 0) }
        // Deadlines are in whole seconds, so this is often enough.
        let timeoutMilliseconds: Int32 = exchanges.isEmpty ? -1 : 1_000
        let count = nfds_t(polled.count)
        _ = unsafe poll(&polled, count, timeoutMilliseconds)
        return Set(polled.filter { $0.revents != 0 }.map(\.fd))
    }

    private func accept(_ exchanges: inout [HTTPExchange], _ nextID: inout UInt64, now: Int) {
        var client = Glibc.accept(descriptor, nil, nil)
        if client < 0, errno == EMFILE || errno == ENFILE, makeRoom(&exchanges, in: [.reading]) {
            client = Glibc.accept(descriptor, nil, nil)
        }
        guard client >= 0 else {
            // Out of descriptors: without a pause the loop would spin on the same event.
            if errno != EAGAIN, errno != ECONNABORTED, errno != EINTR { usleep(100_000) }
            return
        }
        Self.setNonBlocking(client)
        if exchanges.count >= Self.exchangesMax {
            _ = makeRoom(&exchanges, in: [.reading, .draining, .writing, .answering])
        }
        nextID += 1
        exchanges.append(HTTPExchange(descriptor: client, id: nextID, now: now))
    }

    /// Closes the oldest connection that is in the first of these phases, so that a crowd of idle ones keeps
    /// nobody out. False where none is.
    private func makeRoom(
        _ exchanges: inout [HTTPExchange], in phases: [HTTPExchange.Phase]
    ) -> Bool {
        for phase in phases {
            guard let index = exchanges.firstIndex(where: { $0.phase == phase }) else { continue }
            close(exchanges[index].descriptor)
            exchanges.remove(at: index)
            return true
        }
        return false
    }

    private func take(
        _ request: HTTPRequest, _ exchange: inout HTTPExchange, _ slow: inout SlowLane, now: Int
    ) {
        if !isSlow(request) {
            start(request, id: exchange.id, on: executor)
        } else if !slow.add(request, id: exchange.id) {
            exchange.answer(.busy, now: now)
        }
    }

    private func startSlow(_ slow: inout SlowLane, _ exchanges: [HTTPExchange]) {
        let next = slow.next { id in exchanges.contains { $0.id == id && !$0.peerHasClosed } }
        if let next { start(next.request, id: next.id, on: slowExecutor) }
    }

    private func start(_ request: HTTPRequest, id: UInt64, on executor: MonitorExecutor) {
        Task(executorPreference: executor) { [self] in
            let response = await handler(request)
            answers.withLock { $0.append((id, response)) }
            wake()
        }
    }

    private func deliverAnswers(
        _ exchanges: inout [HTTPExchange], _ slow: inout SlowLane, now: Int
    ) {
        let ready = answers.withLock { answers in
            defer { answers = [] }
            return answers
        }
        for (id, response) in ready {
            slow.finish(id)
            guard let index = exchanges.firstIndex(where: { $0.id == id }) else { continue }
            exchanges[index].answer(response, now: now)
        }
    }

    private func wake() {
        // A full pipe wakes as well as one byte more.
        var one: UInt8 = 1
        _ = unsafe write(wakeUp.write, &one, 1)
    }

    private func drainWakeUp() {
        var bytes = [UInt8](repeating: 0, count: 256)
        _ = unsafe read(wakeUp.read, &bytes, bytes.count)
    }

    private static func makePipe() throws(MonitorError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else {
            throw MonitorError(description: "no descriptors left for monitoring")
        }
        for end in ends { setNonBlocking(end) }
        return (ends[0], ends[1])
    }

    private static func setNonBlocking(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    private static func now() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }

    deinit {
        close(wakeUp.read)
        close(wakeUp.write)
    }
}
