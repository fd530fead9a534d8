import MartletTestSupport
import Testing

@testable import MartletBroker

/// Messages for more subscribers than a turn delivers to.
@Suite struct FanOutTests {
    private static let count = 3 * Route.plainCountAtOnce + 100
    private let connect = "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n"

    private func client(
        _ simulation: Simulation, loop: Int = 0, _ lines: String = ""
    ) -> SimulatedClient {
        let client = simulation.connect(pipeBytes: 8 << 20, loop: loop)
        client.queue(connect + lines)
        simulation.settle()
        return client
    }

    private func subscribe(_ count: Int) -> String {
        (0..<count).map { "SUB w \($0)\r\n" }.joined()
    }

    @Test func othersAreServedWhileItGoesOn() throws {
        let simulation = try Simulation(seed: 1)
        let all = client(simulation, subscribe(Self.count))
        let publisher = client(simulation)
        let other = client(simulation)
        publisher.queue("PUB w 1\r\nx\r\nPING\r\n")
        _ = publisher.move()
        let pongs = publisher.pongs
        var turns = 0
        while publisher.pongs == pongs {
            let before = other.pongs
            other.queue("PING\r\n")
            _ = other.move()
            let messages = simulation.loops[0].counters.pointee.messagesOut.total
            simulation.turn()
            let delivered = simulation.loops[0].counters.pointee.messagesOut.total - messages
            #expect(delivered <= Route.plainCountAtOnce)
            for client in [other, publisher, all] { _ = client.move() }
            #expect(other.pongs == before + 1)
            turns += 1
            try #require(turns < 100)
        }
        #expect(turns >= 4)
        simulation.settle()
        let sids = all.takeMessages().map(\.sid)
        #expect(sids.count == Self.count && Set(sids).count == Self.count)
    }

    @Test(arguments: [1, 2, 3], testSeeds(6))
    func everybodyGetsAllOfItInOrder(loops: Int, seed: UInt64) throws {
        let simulation = try Simulation(seed: seed, loops: loops)
        var random = SeededRandom(seed: seed)
        let subscribers = (0..<4).map {
            client(simulation, loop: $0 % loops, subscribe(Self.count / 2) + "SUB w g 999999\r\n")
        }
        let narrow = client(simulation, loop: random.below(loops), "SUB > 1\r\n")
        let publishers = (0..<2).map { _ in client(simulation, loop: random.below(loops)) }
        let messages = 6
        for (p, publisher) in publishers.enumerated() {
            for n in 0..<messages {
                publisher.queue("PUB \(random.oneIn(3) ? "n" : "w") 2\r\n\(p)\(n)\r\n")
            }
            publisher.queue("PING\r\n")
        }
        while publishers.contains(where: { $0.pongs == 0 }) {
            for client in simulation.clients where random.oneIn(2) { _ = client.move() }
            simulation.turn()
        }
        #expect(simulation.barrier())
        let seen = narrow.takeMessages()
        let seeds: Comment = "MARTLET_SEED=\(seed)"
        for p in 0..<2 {
            let own = seen.filter { $0.text.count == 2 && $0.text.hasPrefix("\(p)") }.map(\.text)
            #expect(own == (0..<messages).map { "\(p)\($0)" }, seeds)
        }
        let wide = seen.filter { $0.subject == "w" }
        var ofGroup = 0
        for subscriber in subscribers {
            var texts: [String: [String]] = [:]
            for message in subscriber.takeMessages() {
                if message.sid == "999999" {
                    ofGroup += 1
                } else {
                    texts[message.sid, default: []].append(message.text)
                }
            }
            #expect(texts.count == Self.count / 2, seeds)
            for own in texts.values {
                try #require(own.count == wide.count, seeds)
                for p in 0..<2 {
                    let expected = wide.map(\.text).filter { $0.hasPrefix("\(p)") }
                    try #require(own.filter { $0.hasPrefix("\(p)") } == expected, seeds)
                }
            }
        }
        #expect(ofGroup == wide.count, seeds)
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
    }

    @Test func aLargePayloadIsSharedByAllPieces() throws {
        let simulation = try Simulation(seed: 1)
        let count = Route.plainCountAtOnce + 2
        let all = client(simulation, subscribe(count))
        let publisher = client(simulation)
        let payload = String(repeating: "l", count: 20_000)
        publisher.queue("PUB w 20000\r\n\(payload)\r\nPUB w 1\r\nx\r\nPING\r\n")
        simulation.settle()
        #expect(publisher.pongs == 1)
        let messages = all.takeMessages()
        #expect(messages.count == 2 * count)
        #expect(messages.prefix(count).allSatisfy { $0.payload.count == 20_000 })
        #expect(messages.suffix(count).allSatisfy { $0.text == "x" })
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
    }

    @Test(arguments: testSeeds(5))
    func whoComesOrGoesMeanwhileLosesNothingElse(seed: UInt64) throws {
        let simulation = try Simulation(seed: seed)
        let all = client(simulation, subscribe(Self.count))
        let publisher = client(simulation)
        publisher.queue("PUB w r 1\r\nx\r\n")
        _ = publisher.move()
        simulation.turn()
        // Changes what the subject reaches, and takes those that have not been reached.
        let late = client(simulation, "SUB w 1\r\nSUB r 2\r\n")
        publisher.close()
        all.close()
        simulation.settle()
        #expect(late.takeMessages().isEmpty)
        let next = client(simulation)
        next.queue("PUB w 1\r\ny\r\nPING\r\n")
        simulation.settle()
        #expect(next.pongs == 1)
        #expect(late.takeMessages().map(\.text) == ["y"])
        #if DEBUG
        #expect(simulation.bytesLeftAfterClosing() == 0)
        #endif
    }

    @Test func aRequesterHearsThatAllHaveGoneMeanwhile() throws {
        let simulation = try Simulation(seed: 1)
        // Its own subscriptions do not count without echo.
        let asker = client(simulation)
        asker.queue(
            "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true,\"echo\":false}\r\n"
                + subscribe(Self.count) + "SUB r r\r\nPUB w r 0\r\n\r\nPING\r\n")
        simulation.settle()
        let heard = asker.takeMessages()
        #expect(heard.count == 1 && heard.first?.sid == "r")
        #expect(asker.pongs == 1)
    }
}
