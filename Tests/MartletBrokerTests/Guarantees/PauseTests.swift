import MartletTestSupport
import Testing

@testable import MartletBroker

extension Guarantees {
    @Suite struct Pauses {
        private func paused(_ reason: PauseReason, _ broker: TestBroker) -> Int {
            broker.broker.snapshot().pausedConnections[reason] ?? -1
        }

        @Test(
            "A gauge says that publishers wait for their rate, as long as they do",
            arguments: BrokerSetup.all)
        func pausedForRate(setup: BrokerSetup) throws {
            let broker = try setup.broker { $0.limits.publishedMessagesPerSecondMax = 100 }
            let fast = try broker.client()
            try fast.send(String(repeating: pub("a", "x"), count: 1_000))
            #expect(eventually { paused(.rate, broker) == 1 })
            #expect(broker.connections().count { $0.pauseReasons == [.rate] } == 1)
            for reason in PauseReason.allCases where reason != .rate {
                #expect(paused(reason, broker) == 0)
            }
            broker.broker.stop()
            #expect(paused(.rate, broker) == 0)
        }

        @Test(
            "A gauge says that publishers wait for a subscriber, as long as they do",
            arguments: BrokerSetup.all)
        func pausedForSubscriber(setup: BrokerSetup) throws {
            let broker = try setup.broker {
                $0.slowConsumers.rules = [
                    .init(subject: "b", policy: .block, pendingBytesMax: 100_000)
                ]
                $0.slowConsumers.blockNanosecondsMax = 60_000_000_000
                $0.limits.payloadBytesMax = 100_000
            }
            let stuck = try broker.subscriber(
                "SUB b 1", options: ClientOptions(pendingBytes: 8 << 10))
            let publisher = try broker.client()
            let one = pub("b", String(repeating: "x", count: 8_000))
            try onThreads(2) { i in
                if i == 0 {
                    for _ in 0..<2_000 { try publisher.send(one) }
                    try publisher.barrier()
                } else {
                    #expect(eventually { paused(.block, broker) == 1 })
                    #expect(broker.connections().count { $0.pauseReasons.contains(.block) } == 1)
                    stuck.close()
                }
            }
            #expect(PauseReason.allCases.allSatisfy { paused($0, broker) == 0 })
        }
    }
}
