import Foundation
import Logging
import MartletTestSupport
import Testing

@testable import MartletBroker

extension Guarantees {
    /// Settings that trade one cost for another change when things happen, never what.
    @Suite(.serialized) struct Pace {
        @Test(
            "Barriers hold with spinning and with output held back", arguments: BrokerSetup.all,
            [(20_000, 0), (0, 300_000), (50_000, 200_000)] as [(UInt64, UInt64)])
        func barriers(setup: BrokerSetup, times: (spin: UInt64, coalesce: UInt64)) throws {
            let loops = setup.loops
            let broker = try setup.broker {
                $0.tuning.spinNanoseconds = times.spin
                $0.tuning.coalesceNanoseconds = times.coalesce
            }
            let publishers = try broker.clients(loops)
            let subscribers = try broker.clients(loops)
            for round in 0..<50 {
                for subscriber in subscribers {
                    try subscriber.send("SUB p.\(round) \(round)\r\n")
                    try subscriber.barrier()
                }
                for publisher in publishers {
                    try publisher.send(pub("p.\(round)", "x") + pub("p.\(round)", "y") + "PING\r\n")
                }
                for publisher in publishers { _ = try publisher.framesToPong() }
                for subscriber in subscribers {
                    try subscriber.send("UNSUB \(round)\r\n")
                    let count = try subscriber.barrier().compactMap(\.message).count
                    try #require(count == 2 * loops, "round \(round)")
                }
            }
        }

        @Test(
            "What is held back still leaves: before a close, and when the broker stops",
            arguments: BrokerSetup.with(loops: [1]))
        func lastOutput(setup: BrokerSetup) throws {
            let broker = try setup.broker { $0.tuning.coalesceNanoseconds = 10_000_000 }
            let client = try broker.client()
            try client.send("SUB a 1\r\n" + pub("a", "x") + "NONSENSE\r\n")
            let frames = try client.framesToEnd()
            #expect(frames.first?.message?.text == "x")
            #expect(frames.last == .error("'Unknown Protocol Operation'"))
            let other = try broker.client()
            try other.send("SUB a 1\r\n" + pub("a", "y"))
            #expect(eventually { broker.broker.snapshot().messagesIn == 2 })
            broker.broker.stop()
            #expect(try other.framesToEnd().first?.message?.text == "y")
        }

        @Test(
            "Output that is held back leaves when a reload ends that, and the loop sleeps again",
            arguments: BrokerSetup.with(loops: [1]))
        func reloadEndsHoldingBack(setup: BrokerSetup) throws {
            let broker = try setup.broker { $0.tuning.coalesceNanoseconds = 50_000_000 }
            let client = try broker.client()
            try client.send("SUB a 1\r\n" + pub("a", "x"))
            #expect(eventually { broker.broker.snapshot().messagesIn == 1 })
            var changed = broker.broker.configuration
            changed.tuning.coalesceNanoseconds = 0
            try broker.broker.reload(changed)
            #expect(try client.barrier().first?.message?.text == "x")
            // A loop that thinks output is due waits for nothing: a turn after another.
            func turns() -> Int { broker.broker.snapshot().turns.counts.reduce(0, +) }
            let before = turns()
            Thread.sleep(forTimeInterval: 0.2)
            #expect(turns() - before < 100)
        }

        @Test("By the thread's clock, a turn that sleeps is not long, and one that works is")
        func threadClock() throws {
            let broker = try TestBroker { $0.tuning.turnClock = .thread }
            let client = try broker.client()
            let loop = broker.broker.shared.loops[0]
            loop.mail.post(
                .describeConnections(ConnectionListing { _ in Thread.sleep(forTimeInterval: 0.4) }))
            try client.barrier()
            #expect(broker.broker.snapshot().longestTurnNanoseconds < 200_000_000)
            loop.mail.post(
                .describeConnections(
                    ConnectionListing { _ in
                        let end = Clock.threadNanoseconds() + 200_000_000
                        while Clock.threadNanoseconds() < end {}
                    }))
            try client.barrier()
            #expect(eventually { broker.broker.snapshot().longestTurnNanoseconds >= 200_000_000 })
        }

        @Test("A turn over the threshold is counted and logged, with what ran")
        func stall() throws {
            let log = LogLines()
            // A busy machine makes long turns of its own; this one is longer.
            let test = try TestBroker(logger: log.logger(from: .warning)) {
                $0.tuning.stallThresholdNanoseconds = 300_000_000
            }
            let broker = test.broker
            let client = try test.client()
            #expect(broker.snapshot().stalls == 0)
            broker.shared.loops[0].mail.post(
                .describeConnections(ConnectionListing { _ in Thread.sleep(forTimeInterval: 0.4) }))
            try client.barrier()
            #expect(eventually { broker.snapshot().stalls == 1 })
            #expect(broker.snapshot().longestTurnNanoseconds >= 400_000_000)
            #expect(broker.snapshot().turns.counts.last == 1)
            #expect(eventually { log.all.contains { $0.contains("stalled") } })
            let line = try #require(log.all.first { $0.contains("stalled") })
            let form =
                /warning Loop 0 stalled for \d{6}us: \d events, 1 commands, 0 deliveries, most of it (.*)/
            let match = try #require(line.wholeMatch(of: form), "\(line)")
            #expect(match.1 == "a description of connections")
        }

        @Test("The worst turn of a second is logged, whichever came first")
        func worstStall() throws {
            let log = LogLines()
            let test = try TestBroker(logger: log.logger(from: .warning)) {
                $0.tuning.stallThresholdNanoseconds = 100_000_000
            }
            let loop = test.broker.shared.loops[0]
            for seconds in [0.15, 0.4] {
                loop.mail.post(
                    .describeConnections(
                        ConnectionListing { _ in Thread.sleep(forTimeInterval: seconds) }))
                #expect(eventually { !loop.mail.hasMail })
            }
            #expect(eventually { log.all.contains { $0.contains("stalled for 4") } })
            #expect(log.all.count { $0.contains("stalled") } == 1)
        }
    }
}
