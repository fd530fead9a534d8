import Foundation
import MartletTestSupport
import Synchronization
import Testing

extension Faults {
    /// A system that gives less than `max_memory`: every growth may find no memory, and the process has to live.
    @Suite(
        .serialized, .disabled(if: isSanitized, "a sanitizer reserves terabytes of addresses")
    )
    struct AddressLimits {
        /// What takes the memory.
        enum Load: String, CaseIterable {
            case subscriptions, queueGroups, stuckSubscribers, payloads, everything
        }

        @Test(
            "Without memory from the system, who asks for it is refused, others are served, and the process lives",
            arguments: Load.allCases)
        func limit(load: Load) throws {
            try allowDescriptors(4_096)
            let loops = load == .everything ? 2 : 1
            let server = try ServerProcess(
                """
                max_payload: 8MB
                max_subscriptions: 0
                write_deadline: 1m
                martlet { max_memory: 16GB, loops: \(loops) }
                """, preparation: "ulimit -v \(Self.addressBytes(loops: loops) >> 10)")
            let pair = try Pair(server)
            let attackers = Attackers(server)
            let began = ContinuousClock.now
            switch load {
            case .subscriptions: try attackers.subscribe()
            case .queueGroups: try attackers.joinGroups()
            case .stuckSubscribers: try attackers.getStuck()
            case .payloads: try attackers.announce()
            case .everything:
                try attackers.subscribe()
                try attackers.connect()
                try attackers.joinGroups()
                try attackers.getStuck()
                try attackers.announce()
                try attackers.connect()
            }
            try #require(server.process.isRunning, "\(server.process.log.suffix(2_000))")
            try pair.exchange()
            let lines = server.process.log.split(separator: "\n")
            let refusals = lines.count { $0.contains("The system has no memory") }
            let shed = lines.count { $0.contains("max_memory reached") }
            print("\(load): \(refusals) lines about memory, \(shed) slow consumers")
            #expect(refusals + shed > 0)
            let seconds = Int(began.duration(to: .now) / .seconds(1))
            #expect(refusals <= loops * (seconds + 2))
            // With the load gone, all is as before.
            attackers.leave()
            #expect(
                eventually(60) { (try? pair.exchange(bytes: 4 << 20)) != nil },
                "\(server.process.log.suffix(2_000))")
            #expect(server.process.isRunning)
        }

        /// What the process and each of its loops reserve, and some 250 MiB to fill.
        private static func addressBytes(loops: Int) -> Int { (450 + loops * 250) << 20 }
    }
}

/// A subscriber and a publisher that do nothing wrong.
private struct Pair {
    private let server: ServerProcess
    private let subscriber: RawClient
    private let publisher: RawClient

    init(_ server: ServerProcess) throws {
        self.server = server
        subscriber = try server.client()
        publisher = try server.client()
        try subscriber.send("SUB healthy.> 1\r\n")
        try subscriber.barrier()
    }

    /// A message on a subject that no cache knows; and of a subscriber that comes now, if it is large.
    func exchange(bytes: Int = 100) throws {
        let receiver = bytes > 100 ? try server.client() : subscriber
        if bytes > 100 {
            try receiver.send("SUB healthy.large.> 1\r\n")
            try receiver.barrier()
        }
        let subject = "healthy.large.\(UInt32.random(in: 0 ... .max))"
        try publisher.send(pub(subject, bytes: bytes))
        try publisher.barrier()
        #expect(try receiver.message().payload.count == bytes)
        if bytes > 100 { #expect(try subscriber.message().payload.count == bytes) }
    }
}

/// Clients that take what memory there is, each kind until it is refused.
private final class Attackers {
    private let server: ServerProcess
    private var clients: [RawClient] = []

    init(_ server: ServerProcess) { self.server = server }

    func leave() {
        for client in clients { client.close() }
        clients = []
    }

    /// Deep subjects, which take most for what is sent.
    func subscribe() throws {
        try ask(times: 4_000) { i in
            "SUB d\(i)" + String(repeating: ".a", count: 1_900) + " \(i)\r\n"
        }
    }

    /// Groups with long names, on one subject, and publishes whose route names them all.
    func joinGroups() throws {
        let name = String(repeating: "g", count: 3_000)
        try ask(times: 60_000) { i in
            let publish = i % 3_000 == 2_999 ? "PUB groups.\(i) 0\r\n\r\n" : ""
            return "SUB groups.> \(name)\(i) \(i)\r\n" + publish
        }
    }

    /// One client after another sends a hundred lines, or is closed; three that are refused at once are enough.
    private func ask(times: Int, _ line: (Int) -> String) throws {
        var refused = 0
        var next = 0
        while refused < 3, next < times {
            let first = next
            guard let client = try? server.client() else {
                refused += 1
                continue
            }
            clients.append(client)
            do {
                while next < min(times, first + 100) {
                    let text = (next..<min(times, next + 20)).map(line).joined()
                    next += 20
                    try client.send(text)
                    for case .error in try client.barrier() { throw Refused() }
                }
            } catch {
                if next - first <= 40 { refused += 1 }
            }
        }
        try #require(server.process.isRunning, "\(server.process.log.suffix(2_000))")
    }

    private struct Refused: Error {}

    /// Subscribers that read nothing, and more for them than there is memory.
    func getStuck() throws {
        for i in 0..<100 {
            guard let client = try? RawClient(port: server.port, pendingBytes: 4 << 10) else {
                continue
            }
            clients.append(client)
            try? client.send("CONNECT {\"verbose\":false}\r\nSUB flood 1\r\nSUB flood.\(i) 2\r\n")
        }
        for (size, count) in [(9_000, 600), (300_000, 2_000)] {
            guard let publisher = try? server.client() else { continue }
            clients.append(publisher)
            publisher.timeoutSeconds = 60
            let text = pub("flood", bytes: size)
            for i in 0..<count {
                do {
                    try publisher.send(text)
                    if i % 20 == 0 { try publisher.barrier() }
                } catch { break }
            }
        }
    }

    /// Messages of eight megabytes that lack their last bytes.
    func announce() throws {
        let text = "PUB announced 8000000\r\n" + String(repeating: "x", count: 7_900_000)
        for _ in 0..<120 {
            guard let client = try? server.client() else { continue }
            clients.append(client)
            client.timeoutSeconds = 2
            try? client.send(text)
        }
    }

    /// Connections that have much to say of themselves.
    func connect() throws {
        let name = String(repeating: "n", count: 3_900)
        for _ in 0..<500 {
            guard let client = try? RawClient(port: server.port) else { continue }
            clients.append(client)
            try? client.send("CONNECT {\"verbose\":false,\"name\":\"\(name)\"}\r\nSUB c 1\r\n")
        }
    }
}
