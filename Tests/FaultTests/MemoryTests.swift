import Foundation
import MartletBroker
import MartletTestSupport
import Synchronization
import Testing

extension Faults {
    @Suite(.serialized) struct Memory {
        static let bytesMax = 128 << 20
        static let cases =
            isLongRun
            ? [
                (1, 128), (1, 40_000), (1, 1_000_000), (2, 128), (2, 40_000), (2, 1_000_000),
                (4, 128),
            ]
            : [(1, 128), (2, 40_000), (1, 1_000_000)]

        @Test(
            "A thousand stuck subscribers stay within max_memory, and others are served",
            arguments: cases)
        func stuckSubscribers(loops: Int, size: Int) throws {
            try allowDescriptors(4_096)
            let server = try ServerProcess(
                "write_deadline: 1m\nmartlet { max_memory: 128MB, loops: \(loops) }")
            let idle = try server.process.residentBytes()
            let stuck = try (0..<1_000).map { _ in
                let client = try server.client(ClientOptions(pendingBytes: 4 << 10))
                try client.send("SUB flood 1\r\n")
                return client
            }
            let publisher = try server.client()
            publisher.timeoutSeconds = 60
            let flood = Flood()
            try flood.run(on: server, from: publisher, size: size, to: stuck.count)
            let limit = Self.bytesMax * 12 / 10 + idle
            print(
                "\(loops) loops, \(size) B: idle \(idle >> 20), limit \(limit >> 20) MiB; \(flood)")
            // A sanitizer's own memory is in it.
            if !isSanitized { #expect(flood.peakBytes < limit) }
            #expect(flood.slowest < .seconds(10))
            #expect(server.process.log.contains("max_memory reached"))
            // With the stuck ones gone, all is as before.
            for client in stuck { client.close() }
            let late = try server.client()
            try late.send("SUB flood 1\r\n")
            try late.barrier()
            try publisher.send(pub("flood", bytes: 900_000))
            try publisher.barrier()
            #expect(try late.message().payload.count == 900_000)
        }

        @Test("Rounds of connections and subscriptions leave no memory behind")
        func rounds() throws {
            try allowDescriptors(4_096)
            let server = try ServerProcess("max_closed_clients: 100\nmartlet { loops: 2 }")
            var sizes: [Int] = []
            for _ in 0..<repetitions(8, long: 20) {
                for _ in 0..<5 {
                    let clients = try (0..<100).map { _ in try RawClient(port: server.port) }
                    for (i, client) in clients.enumerated() {
                        try client.send(
                            "CONNECT {\"verbose\":false}\r\nSUB r.\(i) 1\r\nSUB r.> 2\r\n"
                                + pub("r.\(i)", bytes: 1_000))
                        if i % 3 == 0 { client.reset() } else { client.close() }
                    }
                }
                #expect(try eventually { try server.process.openDescriptors() < 40 })
                sizes.append(try server.process.residentBytes())
            }
            print("resident after each round: \(sizes.map { $0 >> 10 }) KiB")
            // 2,500 connections and more: a leak of 2.5 KiB each would show. Pools settle within
            // three rounds.
            if !isSanitized { #expect(sizes[sizes.count - 1] - sizes[2] < 6 << 20) }
        }
    }
}

/// A flood for subscribers that are stuck, and what was seen meanwhile: the server's memory, and how long a
/// request took.
private final class Flood: Sendable, CustomStringConvertible {
    private let isDone = Atomic<Bool>(false)
    private let peak = Atomic<Int>(0)
    private let trips = Guarded<[Duration]>([])

    var peakBytes: Int { peak.load(ordering: .relaxed) }
    var slowest: Duration { trips.withLock { $0.max() ?? .seconds(1_000) } }

    var description: String {
        "peak \(peakBytes >> 20) MiB, \(trips.withLock(\.count)) round trips, the slowest \(slowest)"
    }

    func run(
        on server: ServerProcess, from publisher: RawClient, size: Int, to subscribers: Int
    ) throws {
        let (responder, requester) = (try server.client(), try server.client())
        try responder.send("SUB service 1\r\n")
        try responder.barrier()
        try onThreads(4) { [self] i in
            switch i {
            case 0:
                defer { isDone.store(true, ordering: .relaxed) }
                try publish(publisher, size: size, to: subscribers)
            case 1: try watch(server)
            case 2:
                while let reply = try responder.message().reply {
                    try responder.send(pub(reply, "ok"))
                }
            default: try request(requester)
            }
        }
    }

    /// What the kernel takes for each of them, then three times the budget, in queues or in payloads.
    private func publish(_ publisher: RawClient, size: Int, to subscribers: Int) throws {
        let copied = size < 16_384 ? size * subscribers : size
        for (size, count) in [(8_000, 120), (size, 3 * Faults.Memory.bytesMax / copied)] {
            let text = pub("flood", bytes: size)
            for n in 0..<count {
                try publisher.send(text)
                if n % 20 == 0 { try publisher.barrier() }
            }
        }
        try publisher.barrier()
    }

    private func watch(_ server: ServerProcess) throws {
        while !isDone.load(ordering: .relaxed) {
            peak.max(try server.process.residentBytes(), ordering: .relaxed)
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    /// One request after another; the last one, which wants no reply, ends the responder.
    private func request(_ requester: RawClient) throws {
        try requester.send("SUB inbox 1\r\n")
        repeat {
            let started = ContinuousClock.now
            try requester.send(pub("service", "x", reply: "inbox"))
            _ = try requester.message()
            let took = started.duration(to: .now)
            trips.withLock { $0.append(took) }
            Thread.sleep(forTimeInterval: 0.005)
        } while !isDone.load(ordering: .relaxed)
        try requester.send(pub("service", "x"))
    }
}
