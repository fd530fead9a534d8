import MartletTestSupport
import Testing

@testable import MartletBroker

/// What happens at a certain time, on a clock that the tests set.
@Suite struct TimeTests {
    private let connect = "CONNECT {\"verbose\":false}\r\nPING\r\n"

    @Test(arguments: testSeeds(5))
    func aSilentClientIsPingedThenStale(seed: UInt64) throws {
        let simulation = try Simulation(seed: seed, loops: 2) {
            $0.keepalive.pingIntervalNanoseconds = 1_000_000_000
            $0.keepalive.pingsOutstandingMax = 2
        }
        let client = simulation.connect()
        client.queue(connect)
        simulation.settle()
        #expect(client.pings == 0 && client.pongs == 1)
        // The first PING comes after the interval, and up to a fifth of it later.
        simulation.advance(milliseconds: 990)
        #expect(client.pings == 0)
        simulation.advance(milliseconds: 220)
        #expect(client.pings == 1)
        simulation.advance(milliseconds: 1_000)
        #expect(client.pings == 2 && !client.isClosed)
        simulation.advance(milliseconds: 1_000)
        #expect(client.isClosed, "MARTLET_SEED=\(seed)")
        #expect(client.errors == ["'Stale Connection'"])
        #expect(simulation.broker.snapshot().staleConnections == 1)
    }

    @Test func aClientThatAnswersLives() throws {
        let simulation = try Simulation(seed: 1) {
            $0.keepalive.pingIntervalNanoseconds = 1_000_000_000
            $0.keepalive.pingsOutstandingMax = 1
        }
        let client = simulation.connect()
        client.queue(connect)
        var answered = 0
        for _ in 0..<200 {
            simulation.advance(milliseconds: 50)
            while answered < client.pings {
                client.queue("PONG\r\n")
                answered += 1
            }
        }
        #expect(!client.isClosed && answered >= 2)
    }

    @Test(arguments: testSeeds(5))
    func whoDoesNotAuthenticateIsClosedInTime(seed: UInt64) throws {
        let simulation = try Simulation(seed: seed) {
            $0.authorization.user = "u"
            $0.authorization.password = "p"
            $0.authorization.timeoutNanoseconds = 500_000_000
        }
        let silent = simulation.connect()
        let known = simulation.connect()
        known.queue("CONNECT {\"verbose\":false,\"user\":\"u\",\"pass\":\"p\"}\r\nPING\r\n")
        simulation.advance(milliseconds: 490)
        #expect(!silent.isClosed)
        simulation.advance(milliseconds: 20)
        #expect(silent.isClosed && silent.errors == ["'Authentication Timeout'"])
        #expect(!known.isClosed && known.pongs == 1)
    }

    @Test(arguments: testSeeds(5))
    func theWriteDeadlineCountsFromTheOldestByte(seed: UInt64) throws {
        let simulation = try Simulation(seed: seed, loops: 2) {
            $0.limits.writeDeadlineNanoseconds = 1_000_000_000
        }
        let deaf = simulation.connect(pipeBytes: 1_000, loop: 0)
        let publisher = simulation.connect(loop: 1)
        deaf.queue(connect + "SUB a 1\r\n")
        publisher.queue(connect)
        simulation.settle()
        deaf.isDeaf = true
        publisher.queue("PUB a 5000\r\n" + String(repeating: "x", count: 5_000) + "\r\n")
        simulation.settle()
        simulation.advance(milliseconds: 990)
        // A byte now and then does not put it off.
        deaf.isDeaf = false
        _ = deaf.move()
        deaf.isDeaf = true
        simulation.settle()
        #expect(simulation.broker.snapshot().connections == 2)
        simulation.advance(milliseconds: 20)
        let snapshot = simulation.broker.snapshot()
        #expect(
            snapshot.connections == 1 && snapshot.slowConsumersByDeadline == 1,
            "MARTLET_SEED=\(seed)")
        #expect(!publisher.isClosed)
    }

    @Test(arguments: testSeeds(5), [1, 2])
    func blockPausesPublishersForAWhileOnly(seed: UInt64, loops: Int) throws {
        let simulation = try Simulation(seed: seed, loops: loops) {
            $0.limits.pendingBytesMax = 10_000
            $0.limits.payloadBytesMax = 10_000
            $0.slowConsumers.defaultPolicy = .block
            $0.slowConsumers.blockNanosecondsMax = 300_000_000
        }
        let deaf = simulation.connect(pipeBytes: 2_000, loop: 0)
        let publisher = simulation.connect(loop: loops - 1)
        deaf.queue(connect + "SUB a 1\r\n")
        publisher.queue(connect)
        simulation.settle()
        deaf.isDeaf = true
        for _ in 0..<20 {
            publisher.queue("PUB a 1000\r\n" + String(repeating: "x", count: 1_000) + "\r\n")
            simulation.settle()
        }
        publisher.queue("PING\r\n")
        simulation.advance(milliseconds: 200)
        // It is not read, so it has no answer.
        #expect(publisher.pongs == 1, "MARTLET_SEED=\(seed)")
        #expect(simulation.broker.snapshot().pausedPublishers == 1)
        simulation.advance(milliseconds: 150)
        #expect(publisher.pongs == 2)
        #expect(simulation.broker.snapshot().connections == 1)
        #expect(simulation.broker.snapshot().slowConsumersByBytes == 1)
    }

    @Test(arguments: testSeeds(5), [1, 2])
    func blockLosesNothingWhenTheSubscriberReads(seed: UInt64, loops: Int) throws {
        let simulation = try Simulation(seed: seed, loops: loops) {
            $0.limits.pendingBytesMax = 10_000
            $0.limits.payloadBytesMax = 10_000
            $0.slowConsumers.defaultPolicy = .block
        }
        let slow = simulation.connect(pipeBytes: 2_000, loop: 0)
        let publisher = simulation.connect(loop: loops - 1)
        slow.queue(connect + "SUB a 1\r\n")
        publisher.queue(connect)
        simulation.settle()
        slow.isDeaf = true
        for i in 0..<100 {
            publisher.queue(
                "PUB a 1004\r\n\(1_000 + i)" + String(repeating: "x", count: 1_000) + "\r\n")
        }
        publisher.piece = 5_000
        simulation.settle()
        slow.isDeaf = false
        for _ in 0..<100 { simulation.advance(milliseconds: 10) }
        let numbers = slow.messages.map { Int($0.text.prefix(4))! }
        #expect(numbers == Array(1_000..<1_100), "MARTLET_SEED=\(seed)")
        #expect(simulation.broker.snapshot().pausedPublishers > 0)
    }

    @Test(arguments: testSeeds(10))
    func droppingKeepsAWellFormedStream(seed: UInt64) throws {
        for policy in [BrokerConfiguration.SlowConsumerPolicy.dropOld, .dropNew] {
            let simulation = try Simulation(seed: seed, loops: 2) {
                $0.limits.pendingBytesMax = 50_000
                $0.limits.payloadBytesMax = 50_000
                $0.slowConsumers.defaultPolicy = policy
            }
            let slow = simulation.connect(pipeBytes: 700, loop: 0)
            let publisher = simulation.connect(loop: 1)
            slow.queue(connect + "SUB a 1\r\n")
            publisher.queue(connect)
            simulation.settle()
            slow.isDeaf = true
            for i in 0..<200 {
                let size = simulation.random.pick([0, 100, 3_000, 18_000])
                publisher.queue(
                    "PUB a \(size + 4)\r\n\(1_000 + i)" + String(repeating: "x", count: size)
                        + "\r\n")
                if simulation.random.oneIn(20) { slow.queue("PING\r\n") }
                if simulation.random.oneIn(3) { simulation.settle() }
                if simulation.random.oneIn(10) {
                    slow.isDeaf = false
                    for _ in 0..<simulation.random.below(40) {
                        _ = slow.move()
                        simulation.turn()
                    }
                    slow.isDeaf = true
                }
            }
            simulation.settle()
            slow.isDeaf = false
            simulation.settle()
            #expect(slow.garbage == nil, "MARTLET_SEED=\(seed), \(policy)")
            let numbers = slow.messages.map { Int($0.text.prefix(4))! }
            #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
            let dropped = simulation.broker.snapshot().droppedMessages
            #expect(
                dropped > 0 && numbers.count + dropped == 200,
                "MARTLET_SEED=\(seed), \(policy): \(numbers.count) came, \(dropped) dropped")
            #if DEBUG
            #expect(simulation.bytesLeftAfterClosing() == 0)
            #endif
        }
    }

    @Test func whoPublishesTooFastIsSlowedDown() throws {
        let simulation = try Simulation(seed: 1) { $0.limits.publishedMessagesPerSecondMax = 100 }
        let client = simulation.connect()
        client.queue(connect + "SUB a 1\r\n")
        simulation.settle()
        for _ in 0..<100 { client.queue("PUB a 0\r\n\r\n") }
        simulation.settle()
        // A tenth of a second's worth at once, and the one that was too many.
        #expect((10...11).contains(client.messages.count))
        simulation.advance(milliseconds: 500)
        #expect((59...62).contains(client.messages.count))
        simulation.advance(milliseconds: 500)
        #expect(client.messages.count == 100)
    }

    @Test func bytesHaveARateToo() throws {
        let simulation = try Simulation(seed: 1) { $0.limits.publishedBytesPerSecondMax = 100_000 }
        let client = simulation.connect()
        client.queue(connect + "SUB a 1\r\n")
        simulation.settle()
        let message = "PUB a 1000\r\n" + String(repeating: "x", count: 1_000) + "\r\n"
        for _ in 0..<100 { client.queue(message) }
        simulation.settle()
        #expect((10...11).contains(client.messages.count))
        simulation.advance(milliseconds: 400)
        #expect((49...52).contains(client.messages.count))
        simulation.advance(milliseconds: 600)
        #expect(client.messages.count == 100)
    }

    @Test func aSlowConsumerOverItsLimitIsClosedAndNobodyElse() throws {
        let simulation = try Simulation(seed: 1) {
            $0.limits.pendingBytesMax = 20_000
            $0.limits.payloadBytesMax = 20_000
        }
        let deaf = simulation.connect(pipeBytes: 1_000)
        let other = simulation.connect()
        let publisher = simulation.connect()
        for client in [deaf, other] { client.queue(connect + "SUB a 1\r\n") }
        publisher.queue(connect)
        simulation.settle()
        deaf.isDeaf = true
        for _ in 0..<40 {
            publisher.queue("PUB a 1000\r\n" + String(repeating: "x", count: 1_000) + "\r\n")
            simulation.settle()
        }
        #expect(other.messages.count == 40)
        #expect(simulation.broker.snapshot().slowConsumersByBytes == 1)
        #expect(simulation.broker.snapshot().connections == 2)
    }
}
