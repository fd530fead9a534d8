import MartletTestSupport
import Testing

@testable import MartletBroker

extension Guarantees {
    /// Threads, sockets and all: what the simulation shows step by step.
    @Suite(.serialized) struct Moving {
        static let messages = repetitions(4_000, long: 100_000)
        private static let publisherCount = 4
        private static let subscriberCount = 4

        @Test(
            "Order and queue groups hold while connections move between loops", arguments: [2, 4])
        func order(loops: Int) throws {
            let broker = try TestBroker(loops: loops)
            let subscribers = try broker.clients(Self.subscriberCount)
            let publishers = try broker.clients(Self.publisherCount)
            for subscriber in subscribers {
                try subscriber.send("SUB order.* 1\r\nSUB work q 2\r\n")
                try subscriber.barrier()
            }
            let left = Guarded(Self.publisherCount + Self.subscriberCount)
            let shared = Guarded([Int]())
            let mover = Mover(broker)
            try onThreads(Self.publisherCount + Self.subscriberCount + 1) { i in
                if i == Self.publisherCount + Self.subscriberCount {
                    mover.run { left.withLock { $0 > 0 } }
                    return
                }
                defer { left.withLock { $0 -= 1 } }
                if i < Self.publisherCount {
                    try publish(by: i, on: publishers[i])
                } else {
                    let work = try expectOrder(at: subscribers[i - Self.publisherCount])
                    shared.withLock { $0 += work }
                }
            }
            #expect(mover.seen.withLock { $0 } > 5, "connections have hardly moved")
            let total = Self.publisherCount * Self.messages
            #expect(shared.withLock { $0 }.sorted() == Array(0..<total))
        }

        private func publish(by publisher: Int, on client: RawClient) throws {
            for first in stride(from: 0, to: Self.messages, by: 20) {
                for n in first..<min(first + 20, Self.messages) {
                    try client.send(
                        pub("order.\(publisher)", "\(n)")
                            + pub("work", "\(n * Self.publisherCount + publisher)"))
                }
                try client.barrier()
            }
            // Each subscriber has its end by then, whoever got the work.
            try client.send(pub("order.\(publisher)", "end"))
            try client.barrier()
        }

        /// The numbers of the group's messages that have come here.
        private func expectOrder(at client: RawClient) throws -> [Int] {
            var next = [Int](repeating: 0, count: Self.publisherCount)
            var ended = 0
            var work: [Int] = []
            while ended < Self.publisherCount {
                let message = try client.message()
                guard message.subject != "work" else {
                    work.append(try #require(Int(message.text)))
                    continue
                }
                let publisher = try #require(Int(message.subject.dropFirst(6)))
                if message.text == "end" {
                    ended += 1
                    #expect(next[publisher] == Self.messages)
                } else {
                    try #require(Int(message.text) == next[publisher])
                    next[publisher] += 1
                }
            }
            return work
        }
    }
}

/// Moves connections of a running broker from loop to loop, and counts those that it sees elsewhere than before.
private final class Mover: Sendable {
    let broker: TestBroker
    let seen = Guarded(0)

    init(_ broker: TestBroker) { self.broker = broker }

    func run(while goesOn: () -> Bool) {
        var random = SeededRandom(seed: 1)
        let loops = broker.broker.shared.loops
        var before: [UInt64: Int] = [:]
        while goesOn() {
            let source = random.below(loops.count)
            let target = (source + 1 + random.below(loops.count - 1)) % loops.count
            loops[source].mail.post(
                .relieve(Relief(from: source, to: target, part: 1, connectionsMax: 2)))
            for connection in broker.connections() {
                if let old = before[connection.id], old != connection.loop {
                    seen.withLock { $0 += 1 }
                }
                before[connection.id] = connection.loop
            }
        }
    }
}
