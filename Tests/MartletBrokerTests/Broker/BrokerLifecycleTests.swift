import Foundation
import Logging
import MartletTestSupport
import ServiceLifecycle
import Testing

@testable import MartletBroker

@Suite("A broker's life", .serialized, .timeLimit(.minutes(2)))
struct BrokerLifecycleTests {
    // MARK: Starting

    @Test("a taken port is a clear error, and the broker can be started once it is free")
    func takenPort() async throws {
        let first = try makeBroker(port: -1)
        try first.start()
        let port = first.clientPort
        let second = try makeBroker(port: port)
        let error = #expect(throws: BrokerError.self) { try second.start() }
        #expect(error?.code == .listen)
        #expect(error?.message == "listen tcp 127.0.0.1:\(port): bind: address already in use")
        await expect(.notRunning) { _ = try await second.connect() }
        await first.shutdown()
        try second.start()
        #expect(second.clientPort == port)
        await second.shutdown()
    }

    @Test(
        "an address that is nobody's is a clear error",
        arguments: [
            ("256.0.0.1", 0), ("no.such.host.invalid", 0),
        ])
    func badAddress(host: String, port: Int) throws {
        let broker = try makeBroker(port: port) { $0.host = host }
        let error = #expect(throws: BrokerError.self) { try broker.start() }
        #expect(error?.code == .listen)
        #expect(error?.message.hasPrefix("listen tcp") == true, "\(error?.message ?? "")")
    }

    @Test("a port that is none is an error of the configuration", arguments: [65_536, -2])
    func badPort(port: Int) {
        let error = #expect(throws: BrokerError.self) { try makeBroker(port: port) }
        #expect(error?.code == .configuration)
        #expect(error?.message == "port is \(port), but takes -1 to 65535")
    }

    @Test("port -1 takes a free one, another for each broker")
    func anyPort() async throws {
        try await withBroker(port: -1) { first in
            try await withBroker(port: -1) { second in
                #expect(first.clientPort > 0 && second.clientPort > 0)
                #expect(first.clientPort != second.clientPort)
                let socket = try RawClient(port: first.clientPort)
                #expect(try socket.read(until: "\r\n").hasPrefix("INFO {"))
            }
        }
    }

    @Test("a broker that does not listen serves clients in its process, and no port")
    func noListener() async throws {
        try await withBroker { broker in
            #expect(broker.clientPort == 0)
            // Not the process's listeners: other tests start and stop theirs meanwhile.
            #expect(broker.shared.loops.allSatisfy { $0.state.pointee.listeners.isEmpty })
            _ = try await broker.connect()
        }
    }

    @Test("a broker starts once")
    func startsOnce() async throws {
        let broker = try makeBroker()
        try broker.start()
        await expect(.alreadyStarted) { try broker.start() }
        _ = try await broker.connect()
        await broker.shutdown()
        await expect(.alreadyStarted) { try broker.start() }
        await expect(.notRunning) { _ = try await broker.connect() }
    }

    // MARK: Stopping

    @Test("stop can be called twice, and at once by many")
    func stopsTwice() async throws {
        let broker = try makeBroker(loops: 2, port: -1)
        try broker.start()
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    await broker.shutdown()
                    return broker.isRunning
                }
            }
            for await isRunning in group { #expect(!isRunning) }
        }
        broker.stop()
        await broker.waitUntilStopped()
    }

    @Test("a broker that was not started can be stopped, and stays so")
    func stopWithoutStart() async throws {
        let broker = try makeBroker(port: -1)
        broker.stop()
        await broker.waitUntilStopped()
        await expect(.alreadyStarted) { try broker.start() }
    }

    @Test("a running broker lives without a reference to it")
    func livesOnItsOwn() async throws {
        weak var broker: Broker?
        let port: Int
        do {
            let started = try makeBroker(port: -1)
            try started.start()
            port = started.clientPort
            broker = started
        }
        #expect(try RawClient(port: port).read(until: "\r\n").hasPrefix("INFO {"))
        await broker?.shutdown()
        #expect(await becomesTrue { broker == nil })
    }

    @Test("stopping ends clients of every kind, whatever they do", arguments: [1, 2, 4])
    func stopWithClients(loops: Int) async throws {
        let broker = try makeBroker(loops: loops, port: -1)
        try broker.start()
        let sockets = try (0..<8).map { _ in try RawClient(port: broker.clientPort) }
        for socket in sockets { #expect(try socket.read(until: "\r\n").hasPrefix("INFO {")) }
        let client = try await broker.connect()
        let idle = try await client.subscribe("idle")
        let busy = try await client.subscribe(
            "busy", limits: .init(messagesMax: 1, overflow: .wait))
        let publishers = (0..<8).map { _ in
            Task {
                let publisher = try await broker.connect()
                while true { try await publisher.publish(pattern(5_000), to: "busy") }
            }
        }
        let iteration = Task { try await idle.rest() }
        let request = Task { try await client.request("?", to: "idle", timeout: .seconds(60)) }
        try await Task.sleep(for: .milliseconds(100))
        await broker.shutdown()
        for publisher in publishers {
            await #expect(throws: BrokerError.self) { try await publisher.value }
        }
        await #expect(throws: BrokerError.self) { _ = try await busy.rest() }
        await expect(.connectionClosed) { _ = try await iteration.value }
        await #expect(throws: BrokerError.self) { _ = try await request.value }
        await expect(.connectionClosed) { try await client.flush() }
        for socket in sockets { #expect(socket.isClosed(within: 10)) }
    }

    @Test("stopping while passwords are hashed ends well")
    func stopWhileHashing() async throws {
        // bcrypt of "x", cost 12: some hundred milliseconds.
        let hash = "$2a$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"
        for _ in 0..<3 {
            let broker = try makeBroker(loops: 2, port: -1) {
                $0.authorization.users = [.init(name: "u", password: hash)]
            }
            try broker.start()
            let attempts = (0..<4).map { _ in
                Task { try await broker.connect(credentials: .user("u", password: "no")) }
            }
            try await Task.sleep(for: .milliseconds(30))
            await broker.shutdown()
            for attempt in attempts {
                await #expect(throws: BrokerError.self) { _ = try await attempt.value }
            }
        }
    }

    @Test("connecting while the broker stops either works or fails, and never hangs")
    func connectWhileStopping() async throws {
        for _ in 0..<20 {
            let broker = try makeBroker(loops: 2)
            try broker.start()
            let attempts = (0..<10).map { _ in Task { try await broker.connect().flush() } }
            await broker.shutdown()
            for attempt in attempts { _ = await attempt.result }
            #expect(await broker.connectionSnapshots(subscriptions: false, closed: false).isEmpty)
        }
    }

    /// In a process of its own: other suites open descriptors and threads beside this one.
    @Test("after fifty lives no descriptor and no thread is left")
    func nothingLeaks() async {
        await #expect(processExitsWith: .success) {
            try await oneLife(0)
            let before = try ProcessCounts()
            for i in 0..<50 { try await oneLife(i) }
            // Threads that stop a broker end a moment after it; the test runner opens a few
            // descriptors of its own. A leak would show fifty times.
            let isEven = try await becomesTrue {
                let now = try ProcessCounts()
                return now.descriptors < before.descriptors + 10
                    && now.brokerThreads <= before.brokerThreads
                    && now.listeners <= before.listeners
            }
            #expect(isEven)
        }
    }

    // MARK: Lame duck

    @Test("a lame duck lets nobody in, closes its clients and ends", arguments: [0, 5])
    func lameDuck(clients: Int) async throws {
        let broker = try makeBroker(loops: 2, port: -1) {
            $0.lameDuck.gracePeriodNanoseconds = 50_000_000
            $0.lameDuck.durationNanoseconds = 250_000_000
        }
        try broker.start()
        var connected: [InProcessClient] = []
        for _ in 0..<clients { connected.append(try await broker.connect()) }
        let sockets = try (0..<clients).map { _ in try RawClient(port: broker.clientPort) }
        for socket in sockets {
            try socket.send("CONNECT {\"protocol\":1,\"verbose\":false}\r\nPING\r\n")
            _ = try socket.read(until: "PONG\r\n")
        }
        broker.enterLameDuck()
        broker.enterLameDuck()
        for socket in sockets {
            #expect(try socket.read(until: "\"ldm\":true").contains("\"ldm\":true"))
        }
        if clients > 0 {
            await #expect(throws: BrokerError.self) { _ = try await broker.connect() }
            #expect(throws: (any Error).self) { _ = try RawClient(port: broker.clientPort) }
        }
        await broker.waitUntilStopped()
        for client in connected { await expect(.connectionClosed) { try await client.flush() } }
        for socket in sockets { #expect(socket.isClosed(within: 10)) }
    }

    @Test("a lame duck can be stopped at once")
    func stopLameDuck() async throws {
        let broker = try makeBroker(port: -1)
        try broker.start()
        let client = try await broker.connect()
        broker.enterLameDuck()
        await broker.shutdown()
        await expect(.connectionClosed) { try await client.flush() }
    }

    // MARK: As a service

    @Test(
        "a service group starts the broker, and ends it on a graceful shutdown",
        arguments: [false, true])
    func serviceGroup(asLameDuck: Bool) async throws {
        let broker = try makeBroker(port: -1) {
            $0.lameDuck.gracePeriodNanoseconds = 10_000_000
            $0.lameDuck.durationNanoseconds = 20_000_000
        }
        let service: any Service = asLameDuck ? LameDuckBroker(broker) : broker
        let group = ServiceGroup(services: [service], logger: Logger(label: "group"))
        let running = Task { try await group.run() }
        #expect(await becomesTrue { broker.isRunning })
        let client = try await broker.connect()
        try await client.flush()
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(!broker.isRunning)
        #expect(broker.isLameDuck == asLameDuck)
        await expect(.connectionClosed) { try await client.flush() }
    }

    @Test("cancelling the task that runs the broker stops it")
    func cancelledService() async throws {
        let broker = try makeBroker()
        let running = Task { try await broker.run() }
        #expect(await becomesTrue { broker.isRunning })
        running.cancel()
        try await running.value
        #expect(!broker.isRunning)
    }

    @Test("a service that cannot listen fails with the reason")
    func failingService() async throws {
        try await withBroker(port: -1) { first in
            let second = try makeBroker(port: first.clientPort)
            await expect(.listen) { try await second.run() }
        }
    }
}

/// A broker that starts, serves a socket and a client in process, and ends.
private func oneLife(_ i: Int) async throws {
    let broker = try makeBroker(loops: 1 + i % 3, port: -1) {
        $0.lameDuck.gracePeriodNanoseconds = 1_000_000
        $0.lameDuck.durationNanoseconds = 2_000_000
    }
    try broker.start()
    let socket = try RawClient(port: broker.clientPort)
    let client = try await broker.connect()
    let subscription = try await client.subscribe("a")
    try await client.publish(pattern(100_000), to: "a")
    _ = try await subscription.take(1)
    _ = try socket.read(until: "\r\n")
    if i % 4 == 0 { broker.enterLameDuck() } else { await broker.shutdown() }
    await broker.waitUntilStopped()
}
