import Foundation
import MartletTestSupport
import Testing

@testable import MartletBroker

extension Guarantees {
    @Suite struct Memory {
        private static let bytesMax = 128 << 20

        private static func broker(loops: Int) throws -> TestBroker {
            try TestBroker(loops: loops) { $0.limits.memoryBytesMax = bytesMax }
        }

        @Test(
            "Subjects without end that reach thousands of subscriptions take little memory",
            arguments: [1, 2])
        func wideRoutes(loops: Int) throws {
            let test = try Self.broker(loops: loops)
            let (group, publisher) = (try test.client(), try test.client())
            try group.send((0..<5_000).map { "SUB a.> q \($0)\r\n" }.joined())
            try group.barrier()
            let before = test.broker.snapshot().memoryBytes
            for i in 0..<3_000 { try publisher.send(pub("a.\(i).x", "m")) }
            try publisher.barrier()
            #expect(eventually { test.broker.snapshot().messagesOut == 3_000 })
            // With what is on its way from one loop to the other; routes of their own would be 740 MiB.
            #expect(test.broker.snapshot().memoryBytes - before < loops * (16 << 20))
        }

        @Test("Payloads that were announced and do not come take little memory", arguments: [1, 2])
        func announcements(loops: Int) throws {
            let test = try Self.broker(loops: loops)
            let subscriber = try test.subscriber("SUB a 1")
            let announcers = try test.clients(150)
            let before = test.broker.snapshot().memoryBytes
            for announcer in announcers { try announcer.send("PUB a 1000000\r\n") }
            // Two looks at every loop: the announcements were read by then.
            _ = test.connections() + test.connections()
            #expect(test.broker.snapshot().memoryBytes - before < 16 << 20)
            #expect(test.connections().count == 151)
            try announcers[0].send(String(repeating: "x", count: 1_000_000) + "\r\n")
            #expect(try subscriber.message().payload.count == 1_000_000)
        }

        @Test(
            "What clients held that have gone serves messages of any size", arguments: [1, 2])
        func otherSizes(loops: Int) throws {
            let test = try TestBroker(loops: loops) { $0.limits.memoryBytesMax = 64 << 20 }
            let (subscriber, publisher) = (try test.subscriber("SUB a 1"), try test.client())
            for _ in 0..<2 {
                let holders = try test.clients(1_400)
                let part = "PUB x 1000000\r\n" + String(repeating: "x", count: 20_000)
                for holder in holders { try? holder.send(part) }
                _ = test.connections() + test.connections()
                for holder in holders { holder.close() }
                #expect(eventually { test.connections().count == 2 })
                for size in [1_000, 17_000, 40_000, 100_000, 1_000_000] {
                    try publisher.send(pub("a", String(repeating: "m", count: size)))
                    #expect(try subscriber.message().payload.count == size)
                }
            }
            #expect(test.broker.snapshot().memoryBytes <= 64 << 20)
        }

        @Test(
            "Who holds a part of a message and sends no more goes before who sends",
            arguments: [1, 2])
        func stuckBeforeMoving(loops: Int) throws {
            let test = try TestBroker(loops: loops) { $0.limits.memoryBytesMax = 32 << 20 }
            let (subscriber, publisher) = (try test.subscriber("SUB a 1"), try test.client())
            let part = "PUB x 1000000\r\n" + String(repeating: "x", count: 20_000)
            let holders = try test.clients(1_000)
            for holder in holders { try? holder.send(part) }
            // By then the loops have read from all of them, however long that takes.
            for client in [publisher, subscriber, publisher, subscriber] { try client.barrier() }
            Thread.sleep(forTimeInterval: 1.2)
            let payload = String(repeating: "m", count: 900_000)
            for n in 0..<20 {
                try publisher.send(pub("a", "\(n) " + payload))
                #expect(try subscriber.message().text.hasPrefix("\(n) m"))
            }
        }

        @Test("Lines that do not end count, and their clients go", arguments: [1, 2])
        func unfinishedLines(loops: Int) throws {
            let test = try TestBroker(loops: loops) {
                $0.limits.memoryBytesMax = 32 << 20
                $0.limits.controlLineBytesMax = 8 << 20
            }
            let (subscriber, publisher) = (try test.subscriber("SUB a 1"), try test.client())
            let line = "SUB " + String(repeating: "a", count: 3 << 20)
            try onThreads(16) { _ in
                // The broker may close it, or not read it for a while.
                let client = try test.client()
                client.timeoutSeconds = 2
                try? client.send(line)
                Thread.sleep(forTimeInterval: 2)
            }
            #expect(test.broker.snapshot().memoryBytes < 48 << 20)
            for n in 0..<20 {
                try publisher.send(pub("a", "\(n) " + String(repeating: "m", count: 20_000)))
                #expect(try subscriber.message().text.hasPrefix("\(n) m"))
            }
        }

        @Test("Subscriptions take half of it at most, and give it back", arguments: [1, 2])
        func subscriptions(loops: Int) throws {
            let test = try TestBroker(loops: loops) { $0.limits.memoryBytesMax = 32 << 20 }
            let (subscriber, publisher) = (try test.subscriber("SUB a 1"), try test.client())
            let before = test.broker.snapshot().memoryBytes
            let hoarder = try test.client()
            let tokens = String(repeating: ".t", count: 1_000)
            var refused = 0
            for i in 0..<300 {
                try hoarder.send("SUB \(i)\(tokens) \(i)\r\n")
                let answers = try hoarder.barrier()
                refused += answers.count {
                    $0 == .error("'maximum subscriptions exceeded, max_memory reached'")
                }
            }
            #expect(refused > 100 && refused < 290)
            #expect(test.broker.snapshot().memoryBytes < 20 << 20)
            try publisher.send(pub("a", "still"))
            #expect(try subscriber.message().text == "still")
            hoarder.close()
            #expect(eventually { test.broker.snapshot().memoryBytes < before + (4 << 20) })
            try publisher.send("SUB b 1\r\n" + pub("b", "again"))
            #expect(try publisher.message().text == "again")
        }

        @Test("A subject of a million tokens takes no more than subscriptions have")
        func deepSubject() throws {
            let test = try TestBroker {
                $0.limits.memoryBytesMax = 64 << 20
                $0.limits.controlLineBytesMax = 4 << 20
            }
            let (subscriber, publisher) = (try test.client(), try test.client())
            let before = test.broker.snapshot().memoryBytes
            try subscriber.send("SUB a\(String(repeating: ".a", count: 1_000_000)) 1\r\n")
            #expect(
                try subscriber.barrier() == [
                    .error("'maximum subscriptions exceeded, max_memory reached'")
                ])
            // The buffer of the line goes when nobody has used it for a while.
            #expect(eventually(60) { test.broker.snapshot().memoryBytes - before < 6 << 20 })
            let subject = "a" + String(repeating: ".a", count: 100_000)
            try subscriber.send("SUB \(subject) 1\r\n")
            try subscriber.barrier()
            #expect(test.broker.snapshot().memoryBytes - before < 32 << 20)
            try publisher.send(pub(subject, "deep"))
            #expect(try subscriber.message().text == "deep")
            try subscriber.send("UNSUB 1\r\n")
            try subscriber.barrier()
            // The buffer of the line goes when nobody has used it for a while.
            #expect(eventually(60) { test.broker.snapshot().memoryBytes - before < 6 << 20 })
        }

        @Test("Memory falls soon after large payloads are gone", arguments: [1, 2])
        func largePayloadsAreGone(loops: Int) throws {
            let test = try Self.broker(loops: loops)
            let (subscriber, publisher) = (try test.subscriber("SUB a 1"), try test.client())
            let before = test.broker.snapshot().memoryBytes
            for _ in 0..<50 { try publisher.send(pub("a", bytes: 1_000_000)) }
            #expect(eventually { test.broker.snapshot().memoryBytes - before > 16 << 20 })
            for _ in 0..<50 { _ = try subscriber.message() }
            #expect(eventually(60) { test.broker.snapshot().memoryBytes - before < 6 << 20 })
            // And it comes again.
            try publisher.send(pub("a", bytes: 1_000_000))
            #expect(try subscriber.message().payload.count == 1_000_000)
        }

        @Test("At the share of subscriptions who holds most goes, not who asks", arguments: [1, 2])
        func subscriptionHolders(loops: Int) throws {
            let test = try TestBroker(loops: loops) { $0.limits.memoryBytesMax = 32 << 20 }
            let hoarders = try test.clients(loops)
            let old = try test.clients(loops)
            for client in old { try client.send("SUB old 1\r\n") }
            for hoarder in hoarders {
                hoarder.timeoutSeconds = 60
                for first in stride(from: 0, to: 60_000, by: 1_000) {
                    try hoarder.send(
                        (first..<(first + 1_000)).map { "SUB a.\($0) \($0)\r\n" }.joined())
                    _ = try hoarder.barrier()
                }
            }
            for (i, client) in (old + (try test.clients(loops))).enumerated() {
                try client.send("SUB new.\(i) 2\r\n" + pub("new.\(i)", "heard"))
                #expect(try client.message().text == "heard")
            }
            let shed = test.broker.shared.closedConnections.filter {
                $0.closeReason == "Slow Consumer (Pending Bytes)"
            }
            #expect((1...loops).contains(shed.count))
            #expect(shed.allSatisfy { $0.subscriptionCount > 1_000 })
            #expect(test.broker.snapshot().memoryBytes < 24 << 20)
        }

        @Test("For one who asks for very much nobody goes, and it is refused", arguments: [1, 2])
        func unusualSubscription(loops: Int) throws {
            let test = try TestBroker(loops: loops) {
                $0.limits.memoryBytesMax = 32 << 20
                $0.limits.controlLineBytesMax = 4 << 20
            }
            let holders = try test.clients(loops)
            for holder in holders {
                for first in stride(from: 0, to: 5_000, by: 1_000) {
                    try holder.send(
                        (first..<(first + 1_000)).map { "SUB a.\($0) \($0)\r\n" }.joined())
                    try holder.barrier()
                }
            }
            let askers = try test.clients(loops)
            for asker in askers {
                try asker.send("SUB a\(String(repeating: ".b", count: 1_000_000)) 1\r\n")
                #expect(
                    try asker.barrier() == [
                        .error("'maximum subscriptions exceeded, max_memory reached'")
                    ])
            }
            for client in holders + askers { #expect(try client.barrier().isEmpty) }
            #expect(test.broker.shared.closedConnections.isEmpty)
            #expect(test.broker.snapshot().memoryBytes < 32 << 20)
        }

        @Test("Payloads arrive whole in whatever pieces they come", arguments: BrokerSetup.all)
        func pieces(setup: BrokerSetup) throws {
            let test = try setup.broker()
            let subscriber = try test.subscriber("SUB a 1")
            let publisher = try test.client()
            var random = SeededRandom(seed: 7)
            for size in [16_384, 65_536, 65_537, 262_144, 300_001, 1_048_576] {
                let payload = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                try publisher.send("PUB a \(size)\r\n")
                var sent = 0
                while sent < size {
                    let next = min(size, sent + 1 + random.below(100_000))
                    try publisher.send(Array(payload[sent..<next]))
                    sent = next
                    _ = test.connections()
                }
                try publisher.send("\r\n" + pub("a", "behind"))
                #expect(try subscriber.message().payload == payload)
                #expect(try subscriber.message().text == "behind")
            }
        }
    }
}
