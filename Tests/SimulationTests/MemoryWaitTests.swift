import Logging
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Publishers that wait for memory") struct MemoryWaitTests {
    /// About them.
    private func waits(_ log: LogLines) -> [String] {
        log.all.filter { $0.contains("wait for memory") }
    }

    @Test("are told of once a minute, with how many they are, as long as they wait")
    func onceAMinute() throws {
        let log = LogLines()
        let bytesMax = 32 << 20
        let simulation = try Simulation(
            seed: 1, logger: log.logger(from: .info)
        ) { $0.limits.memoryBytesMax = bytesMax }
        let publishers = (0..<3).map { _ in simulation.connect() }
        for publisher in publishers { publisher.queue("CONNECT {\"verbose\":false}\r\nPING\r\n") }
        simulation.settle()
        let budget = simulation.broker.shared.budget
        // Nobody whom the loop could close holds it.
        budget.reserveAlways(bytesMax)
        for publisher in publishers {
            publisher.queue(pub("a", bytes: 1_000_000) + "PING\r\n")
        }
        simulation.advance(milliseconds: 900)
        #expect(publishers.allSatisfy { $0.pongs == 1 && !$0.isClosed })
        #expect(waits(log).count == 0)
        simulation.advance(milliseconds: 200)
        let first = try #require(waits(log).first)
        #expect(first.hasPrefix("warning Publishers wait for memory: up to 3 at once on loop 0, "))
        #expect(first.hasSuffix(" bytes in use, max_memory is \(bytesMax)"))
        simulation.advance(milliseconds: 59_000, stepMilliseconds: 100)
        #expect(waits(log).count == 1)
        simulation.advance(milliseconds: 2_000, stepMilliseconds: 100)
        #expect(waits(log).count == 2)
        budget.release(bytesMax)
        simulation.advance(milliseconds: 1_000)
        #expect(publishers.allSatisfy { $0.pongs == 2 })
        // One line more tells of those since the last one, and then there is nothing to tell.
        simulation.advance(milliseconds: 180_000, stepMilliseconds: 1_000)
        #expect(waits(log).count == 3)
    }
}
