import MartletRules
import MartletTestSupport
import Testing

@testable import MartletBroker

/// What one connection makes a loop do in one turn, counted: the clock of a simulation stands still, so a
/// slice is as long as its work.
@Suite struct SliceTests {
    private let connect = "CONNECT {\"verbose\":false}\r\n"

    /// What `count` has grown by in the turn that grew it most, until nothing is left to do.
    private func mostInOneTurn(_ simulation: Simulation, _ count: () -> Int) -> Int {
        var most = 0
        while true {
            var moved = false
            for client in simulation.clients where client.move() { moved = true }
            let loop = simulation.loops[0]
            guard moved || loop.mail.hasMail || loop.hasWorkLeft else { return most }
            let before = count()
            simulation.turn()
            most = max(most, count() - before)
        }
    }

    /// Filters of `depth` tokens, each of them `*` or `a`, and `z` behind: a subject of as many `a` visits a
    /// node for each.
    private func subscribeToAll(_ client: SimulatedClient, depth: Int) {
        var lines = ""
        for i in 0..<(1 << depth) {
            let tokens = (0..<depth).map { i >> $0 & 1 == 0 ? "a" : "*" }
            lines += "SUB \(tokens.joined(separator: ".")).z \(i)\r\n"
        }
        client.queue(lines)
    }

    @Test func subscriptionsCount() throws {
        let simulation = try Simulation(seed: 1)
        let client = simulation.connect()
        client.queue(connect + (0..<5_000).map { "SUB s.\($0) \($0)\r\n" }.joined())
        let most = mostInOneTurn(simulation) {
            simulation.loops[0].counters.pointee.subscriptions.total
        }
        #expect(simulation.loops[0].counters.pointee.subscriptions.total == 5_000)
        #expect(most <= 1_024)
    }

    @Test func nodesThatAMatchVisitsCount() throws {
        let simulation = try Simulation(seed: 1)
        let subscriber = simulation.connect()
        let publisher = simulation.connect()
        subscriber.queue(connect)
        subscribeToAll(subscriber, depth: 9)
        publisher.queue(connect)
        simulation.settle()
        let subject = Array(repeating: "a", count: 9).joined(separator: ".")
        publisher.queue((0..<500).map { "PUB \(subject).u\($0) 0\r\n\r\n" }.joined())
        let most = mostInOneTurn(simulation) { simulation.broker.routingSnapshot().matches }
        #expect(simulation.broker.snapshot().messagesIn == 500)
        #expect(most <= (SliceWork.unitsMax + SliceWork.unitsPerLook) / (512 * SliceWork.node) + 1)
    }

    @Test func subscriptionsThatANoRespondersStatusLooksAtCount() throws {
        let simulation = try Simulation(seed: 1)
        let others = simulation.connect()
        others.queue(connect + (0..<5_000).map { "SUB reply \($0)\r\n" }.joined())
        simulation.settle()
        let asker = simulation.connect()
        asker.queue("CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n")
        asker.queue("SUB reply 1\r\n")
        asker.queue(String(repeating: "PUB nobody reply 0\r\n\r\n", count: 500))
        let most = mostInOneTurn(simulation) { simulation.broker.snapshot().messagesIn }
        #expect(simulation.broker.snapshot().messagesIn == 500)
        #expect(asker.takeMessages().count == 500)
        #expect(
            most <= (SliceWork.unitsMax + SliceWork.unitsPerLook) / (5_000 * SliceWork.look) + 1)
    }

    @Test func stepsOfRulesCount() throws {
        let simulation = try Simulation(seed: 1) {
            var rules = RulesConfiguration()
            rules.workerCount = 0
            rules.definition.schemas = [
                .init(
                    name: "numbers", path: "numbers.json",
                    text: Array(#"{"items": {"type": "integer", "multipleOf": 3}}"#.utf8))
            ]
            var rule = RuleDefinition(name: "all", subject: "r")
            rule.validation = .schema("numbers")
            rules.definition.rules = [rule]
            $0.rules = rules
        }
        let client = simulation.connect()
        let document = "[\((0..<100).map { "\($0 * 3)" }.joined(separator: ","))]"
        let message = "PUB r \(document.utf8.count)\r\n\(document)\r\n"
        client.queue(connect + "SUB r 1\r\n" + String(repeating: message, count: 150))
        let most = mostInOneTurn(simulation) { simulation.broker.snapshot().messagesIn }
        #expect(client.takeMessages().count == 150)
        let state = simulation.loops[0].state
        let evaluator = try #require(
            state.pointee.ruleStage.evaluator?.takeUnretainedValue())
        #expect(evaluator.stepsSpent > 100)
        let units =
            evaluator.stepsSpent * SliceWork.ruleStep
            + document.utf8.count * SliceWork.scannedByte
        #expect(most <= (SliceWork.unitsMax + SliceWork.unitsPerLook) / units + 1)
    }

    @Test func commandsAreReadInPiecesAndInOrder() throws {
        let simulation = try Simulation(seed: 1)
        let read = Guarded<[Int]>([])
        for i in 0..<200 {
            simulation.loops[0].mail.post(
                .describeConnections(
                    ConnectionListing { _ in read.withLock { $0.append(i) } }))
        }
        let most = mostInOneTurn(simulation) { read.withLock { $0.count } }
        #expect(most == BrokerLoop.commandsPerTurn)
        let all = read.withLock { $0 }
        #expect(all == Array(0..<200))
    }

    @Test func messagesToNobodyCount() throws {
        let simulation = try Simulation(seed: 1)
        let client = simulation.connect(pipeBytes: 4 << 20)
        client.queue(connect + String(repeating: "PUB n 0\r\n\r\n", count: 100_000))
        let most = mostInOneTurn(simulation) { simulation.broker.snapshot().messagesIn }
        #expect(simulation.broker.snapshot().messagesIn == 100_000)
        #expect(most <= (SliceWork.unitsMax + SliceWork.unitsPerLook) / SliceWork.operation + 1)
    }
}
