import MartletTestSupport
import Testing

@testable import MartletBroker

extension Guarantees {
    /// Why a connection ended, as /connz shows it of closed ones.
    @Suite(.serialized) struct CloseReasons {
        /// Something that a client says, or leaves unsaid, after which its connection ends.
        struct Ending: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let text: String
            /// What it is told before.
            let error: String?
            let change: @Sendable (inout BrokerConfiguration) -> Void

            init(
                _ reason: String, _ text: String, _ error: String?,
                _ change: @escaping @Sendable (inout BrokerConfiguration) -> Void = { _ in }
            ) {
                testDescription = reason
                self.text = text
                self.error = error
                self.change = change
            }
        }

        private static let connect = "CONNECT {\"verbose\":false}\r\n"

        static let endings = [
            Ending("Parse Error", connect + "-ERR 'no'\r\n", nil),
            Ending(
                "Protocol Violation", connect + "NONSENSE\r\n", "'Unknown Protocol Operation'"),
            Ending("Protocol Violation", connect + "SUB alone\r\n", nil),
            Ending(
                "Maximum Control Line Exceeded",
                "SUB \(String(repeating: "a", count: 5_000)) 1\r\n",
                "'maximum control line exceeded'"),
            Ending(
                "Maximum Message Payload Exceeded", connect + "PUB a 1048577\r\n",
                "'Maximum Payload Violation'"),
            Ending(
                "Authentication Failure", "CONNECT {\"auth_token\":\"no\"}\r\n",
                "'Authorization Violation'"
            ) { $0.authorization.token = "yes" },
            Ending("Authentication Timeout", "", "'Authentication Timeout'") {
                $0.authorization.token = "yes"
                $0.authorization.timeoutNanoseconds = 100_000_000
            },
            Ending(
                "Bad Client Protocol Version", "CONNECT {\"protocol\":2}\r\n",
                "'invalid client protocol'"),
            Ending(
                "No Responders Requires Headers",
                "CONNECT {\"no_responders\":true,\"headers\":false}\r\n",
                "'no responders requires headers support'"),
            Ending("Stale Connection", connect, "'Stale Connection'") {
                $0.keepalive.pingIntervalNanoseconds = 100_000_000
                $0.keepalive.pingsOutstandingMax = 1
            },
        ]

        private func expectReasons(_ reasons: [String], _ broker: TestBroker) {
            #expect(
                eventually { broker.broker.shared.closedConnections.count == reasons.count })
            #expect(broker.broker.shared.closedConnections.map(\.closeReason) == reasons)
        }

        @Test(
            "A connection that the broker ends is remembered with the reason",
            arguments: BrokerSetup.with(loops: [2]), endings)
        func ended(setup: BrokerSetup, ending: Ending) throws {
            let broker = try setup.broker(ending.change)
            let client = try broker.rawClient()
            try client.send(ending.text)
            let errors = try client.framesToEnd().filter {
                if case .error = $0 { true } else { false }
            }
            #expect(errors == [ending.error].compactMap { $0.map(Frame.error) })
            expectReasons([ending.testDescription], broker)
        }

        @Test(
            "So is one over max_connections, and what is open when the broker stops",
            arguments: BrokerSetup.with(loops: [2]))
        func stopped(setup: BrokerSetup) throws {
            let broker = try setup.broker { $0.limits.connectionsMax = 1 }
            let client = try broker.client()
            let surplus = try broker.rawClient()
            #expect(
                try surplus.framesToEnd().last == .error("'maximum connections exceeded'"))
            expectReasons(["Maximum Connections Exceeded"], broker)
            broker.broker.stop()
            #expect(try client.framesToEnd().isEmpty)
            expectReasons(["Maximum Connections Exceeded", "Server Shutdown"], broker)
        }

        @Test("An orderly end and a reset are told apart", arguments: [1, 2])
        func reset(loops: Int) throws {
            let broker = try TestBroker(loops: loops)
            try broker.client().close()
            expectReasons(["Client Closed"], broker)
            try broker.client().reset()
            expectReasons(["Client Closed", "Read Error"], broker)
        }
    }
}
