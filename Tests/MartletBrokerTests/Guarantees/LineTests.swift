import MartletTestSupport
import Testing

@testable import MartletBroker

extension Guarantees {
    /// What the broker answers to a client that does not read its answers.
    @Suite(.serialized) struct Lines {
        static let pendingBytesMax = 1 << 20

        static let questions = [
            ("PONG", "PING\r\n"), ("+OK", "UNSUB 9\r\n"),
            ("-ERR", "SUB a..b 2\r\n"), ("503", pub("nobody", "", reply: "inbox")),
        ]

        @Test(
            "count towards max_pending and end who does not read them", arguments: BrokerSetup.all,
            questions)
        func areCounted(setup: BrokerSetup, question: (name: String, text: String)) throws {
            let test = try setup.broker { $0.limits.pendingBytesMax = Self.pendingBytesMax }
            let client = try test.client(
                ClientOptions(verbose: question.name == "+OK", pendingBytes: 4 << 10))
            try client.send("SUB inbox 1\r\n")
            let many = Array(String(repeating: question.text, count: 5_000).utf8)
            var pendingMost = 0
            // Ends with an error: the broker has closed, or reads no more.
            for _ in 0..<1_000 {
                do { try client.send(many) } catch { break }
                let pending = test.connections().map(\.pendingBytes)
                if pending.isEmpty { break }
                pendingMost = max(pendingMost, pending[0])
            }
            // It takes in what the sockets hold first, and a busy machine seconds for that.
            #expect(eventually(40) { test.connections().isEmpty })
            // What the answers to one read may add.
            #expect(pendingMost < Self.pendingBytesMax + (2 << 20))
            let reasons = test.broker.shared.closedConnections.map(\.closeReason)
            #expect(reasons == ["Slow Consumer (Pending Bytes)"])
        }

        @Test("leave a subscriber alone that may be slow", arguments: BrokerSetup.with(loops: [1]))
        func policy(setup: BrokerSetup) throws {
            let test = try setup.broker {
                $0.slowConsumers.rules = [
                    BrokerConfiguration.SlowConsumerRule(
                        subject: "fan", policy: .dropNew, pendingBytesMax: 100_000)
                ]
            }
            let stuck = try StuckSubscriber(test, ["fan"])
            let publisher = try test.client()
            for _ in 0..<200 { try publisher.send(pub("fan", bytes: 1_000)) }
            try publisher.barrier()
            try stuck.client.send(String(repeating: "PING\r\n", count: 5_000))
            #expect(eventually { test.connections().contains { $0.pendingBytes > 125_000 } })
            #expect(try stuck.client.framesToPong().last?.message != nil)
        }
    }
}
