import MartletTestSupport
import Testing

@testable import MartletBroker

/// What goes to many waits for more while a loop is busy.
@Suite struct HeldOutputTests {
    private static let count = 50
    private let connect = "CONNECT {\"verbose\":false}\r\n"

    private func client(_ simulation: Simulation, _ lines: String = "") -> SimulatedClient {
        let client = simulation.connect(loop: 0)
        client.queue(connect + lines)
        simulation.settle()
        return client
    }

    /// A loop that has been busy while it fanned out, and holds output back now.
    private func makeBusy(_ simulation: Simulation, _ publisher: SimulatedClient) throws {
        let loop = simulation.loops[0]
        for _ in 0..<40 {
            loop.counters.pointee.busyNanoseconds.add(2_000_000)
            simulation.advance(milliseconds: 1, stepMilliseconds: 1)
            publisher.queue("PUB wide 1\r\nb\r\n")
            simulation.settle()
        }
        simulation.advance(milliseconds: 1)
        let window = loop.state.pointee.outputPace.windowNanoseconds
        try #require(window == OutputPace.windowNanosecondsMax)
    }

    /// A busy loop with subscribers of `wide`, who have read what came so far, and a publisher.
    private func busy() throws -> (Simulation, [SimulatedClient], SimulatedClient) {
        let simulation = try Simulation(seed: 1)
        let all = subscribers(simulation)
        let publisher = client(simulation)
        try makeBusy(simulation, publisher)
        for one in all { _ = one.takeMessages() }
        return (simulation, all, publisher)
    }

    private func subscribers(_ simulation: Simulation, _ count: Int = count) -> [SimulatedClient] {
        (0..<count).map { _ in client(simulation, "SUB wide 1\r\n") }
    }

    @Test func anIdleLoopWritesAtOnce() throws {
        let simulation = try Simulation(seed: 1)
        let all = subscribers(simulation)
        let publisher = client(simulation)
        publisher.queue("PUB wide 1\r\nx\r\n")
        simulation.settle()
        for one in all { #expect(one.takeMessages().map(\.text) == ["x"]) }
    }

    @Test func aBusyLoopGathersWhatComesInTheWindow() throws {
        let (simulation, all, publisher) = try busy()
        for text in ["x", "y", "z"] {
            publisher.queue("PUB wide 1\r\n\(text)\r\n")
            simulation.settle()
            for one in all { #expect(one.takeMessages().isEmpty) }
        }
        simulation.advance(milliseconds: 1)
        for one in all { #expect(one.takeMessages().map(\.text) == ["x", "y", "z"]) }
        #expect(simulation.loops[0].outputDueAt == .max)
    }

    @Test func othersDoNotWait() throws {
        let simulation = try Simulation(seed: 1)
        let all = subscribers(simulation)
        let publisher = client(simulation)
        let (asker, service) = (
            client(simulation, "SUB reply 1\r\n"), client(simulation, "SUB ask 1\r\n")
        )
        try makeBusy(simulation, publisher)
        _ = all[0].takeMessages()
        publisher.queue("PUB wide 1\r\nx\r\nPUB ask reply 1\r\nq\r\n")
        simulation.settle()
        #expect(service.takeMessages().map(\.text) == ["q"])
        service.queue("PUB reply 1\r\na\r\n")
        simulation.settle()
        #expect(asker.takeMessages().map(\.text) == ["a"])
        #expect(all[0].messages.isEmpty)
    }

    @Test func whoClosesOrStopsGetsWhatWaits() throws {
        let (simulation, all, publisher) = try busy()
        publisher.queue("PUB wide 1\r\nx\r\n")
        simulation.settle()
        all[0].queue("NONSENSE\r\n")
        simulation.settle()
        #expect(all[0].takeMessages().map(\.text) == ["x"])
        #expect(all[0].isClosed)
        simulation.loops[0].closeEverything()
        _ = all[1].move()
        #expect(all[1].takeMessages().map(\.text) == ["x"])
    }

    @Test func aReloadThatEndsItWritesWhatWaits() throws {
        let (simulation, all, publisher) = try busy()
        publisher.queue("PUB wide 1\r\nx\r\n")
        simulation.settle()
        var configuration = simulation.broker.configuration
        configuration.tuning.coalesceNanoseconds = 0
        simulation.loops[0].mail.post(.adoptSettings(LoopSettings(configuration), then: {}))
        simulation.settle()
        for one in all { #expect(one.takeMessages().map(\.text) == ["x"]) }
        #expect(simulation.loops[0].outputDueAt == .max)
    }

    @Test func aTurnWritesToSoManyAndTheNextGoesOn() throws {
        let simulation = try Simulation(seed: 1)
        let sets = (0..<4).map { n in (0..<40).map { _ in client(simulation, "SUB wide\(n) 1\r\n") }
        }
        _ = subscribers(simulation)
        let publisher = client(simulation)
        try makeBusy(simulation, publisher)
        publisher.queue((0..<4).map { "PUB wide\($0) 1\r\nx\r\n" }.joined())
        simulation.settle()
        simulation.advance(milliseconds: 1)
        for one in sets.joined() { #expect(one.takeMessages().map(\.text) == ["x"]) }
        #expect(simulation.loops[0].outputDueAt == .max)
    }

    @Test func aFanOutThatBringsNobodyAnythingNewLetsTheLoopSleep() throws {
        let simulation = try Simulation(seed: 1)
        let publisher = client(simulation)
        let many = (0..<20).map { "SUB own \($0)\r\n" }.joined()
        let own = client(simulation, "CONNECT {\"verbose\":false,\"echo\":false}\r\n" + many)
        let all = client(simulation, "SUB first f\r\n" + many.replacing("own", with: "second"))
        _ = subscribers(simulation)
        try makeBusy(simulation, publisher)
        own.queue("PUB own 1\r\nx\r\n")
        simulation.settle()
        #expect(simulation.loops[0].outputDueAt == .max)
        publisher.queue("PUB first 1\r\nx\r\nPUB second 1\r\ny\r\n")
        simulation.settle()
        #expect(simulation.loops[0].outputDueAt == .max)
        #expect(all.takeMessages().count == 21)
    }

    @Test func subscribersOfOtherLoopsOnlyLetThisOneSleep() throws {
        let simulation = try Simulation(seed: 1, loops: 2)
        let publisher = client(simulation)
        _ = subscribers(simulation)
        let others = (0..<20).map { _ in simulation.connect(loop: 1) }
        for other in others { other.queue(connect + "SUB other 1\r\n") }
        simulation.settle()
        try makeBusy(simulation, publisher)
        publisher.queue("PUB other 1\r\nx\r\n")
        simulation.settle()
        #expect(simulation.loops.allSatisfy { $0.outputDueAt == .max })
        for other in others { #expect(other.takeMessages().map(\.text).last == "x") }
    }
}
