import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

/// One loop on a clock that the test sets, with a pipe for each kind of peer.
private final class PipedBroker {
    let broker: Broker
    private let time = StablePointer<UInt64>(allocating: 1_000_000_000)

    init(_ change: (inout BrokerConfiguration) -> Void = { _ in }) throws {
        let configuration = BrokerConfiguration.underTest {
            $0.dontListen = true
            change(&$0)
        }
        broker = try unsafe Broker(
            simulating: configuration,
            clock: Clock(virtualTime: time.block.assumingMemoryBound(to: UInt64.self)), seed: 1,
            logger: .silent)
    }

    deinit {
        for loop in broker.shared.loops { loop.closeEverything() }
        time.destroy()
    }

    func connect(_ peer: PipePeer) -> MemoryPipe {
        let place = PipePlace(on: 0, of: broker.shared)
        let pipe = MemoryPipe(wakeBroker: { place.wakeLoop() }, wakePeer: {})
        #expect(place.give(pipe, from: peer))
        turns()
        return pipe
    }

    /// What the broker answers; nil when it has closed and nothing is left.
    func answer(to text: String, of pipe: MemoryPipe) -> String? {
        _ = pipe.peerSend(Array(text.utf8)[...])
        turns()
        return pipe.peerReceive().map { String(decoding: $0, as: UTF8.self) }
    }

    func turns(after nanoseconds: UInt64 = 0) {
        time.pointee += nanoseconds
        for loop in broker.shared.loops {
            for _ in 0..<20 { loop.events.turn(loop, waits: false) }
        }
    }
}

@Suite("What holds for a kind of peer") struct PeerPolicyTests {
    private func peers(_ piped: PipedBroker) -> [PipePeer] {
        [.client, .handler, .system(piped.broker.shared.accounts.account(named: "SYS"))]
    }

    @Test("clients and handlers are counted and listed, the broker's own handlers are not")
    func counts() throws {
        let piped = try PipedBroker()
        let pipes = peers(piped).map { piped.connect($0) }
        #expect(piped.broker.snapshot().connections == 2)
        #expect(piped.broker.snapshot().totalConnections == 2)
        #expect(
            piped.broker.shared.loops[0].describeConnections(withSubscriptions: false).count == 2)
        for pipe in pipes { pipe.peerClose() }
        piped.turns()
        #expect(piped.broker.snapshot().connections == 0)
        #expect(piped.broker.shared.closedConnections.count == 2)
    }

    @Test("only the broker's own handlers need no credentials")
    func credentials() throws {
        let piped = try PipedBroker {
            $0.authorization.user = "u"
            $0.authorization.password = "p"
        }
        let answers = peers(piped).map { peer in
            piped.answer(to: "CONNECT {\"verbose\":false}\r\nPING\r\n", of: piped.connect(peer))
                ?? ""
        }
        #expect(answers[0].hasSuffix("-ERR 'Authorization Violation'\r\n"))
        #expect(answers[1].hasSuffix("-ERR 'Authorization Violation'\r\n"))
        #expect(answers[2].hasSuffix("\r\nPONG\r\n"))
    }

    @Test("only clients get PINGs")
    func pings() throws {
        let piped = try PipedBroker { $0.keepalive.pingIntervalNanoseconds = 1_000_000_000 }
        let pipes = peers(piped).map { piped.connect($0) }
        for pipe in pipes {
            _ = piped.answer(to: "CONNECT {\"verbose\":false}\r\nPING\r\n", of: pipe)
        }
        piped.turns(after: 1_500_000_000)
        let answers = pipes.map { String(decoding: $0.peerReceive() ?? [], as: UTF8.self) }
        #expect(answers == ["PING\r\n", "", ""])
    }

    @Test("a client may repeat what servers say, handlers may not", arguments: ["INFO {}", "+OK"])
    func verbs(line: String) throws {
        let piped = try PipedBroker()
        let pipes = peers(piped).map { piped.connect($0) }
        for pipe in pipes { _ = pipe.peerReceive() }
        let answers = pipes.map { piped.answer(to: "\(line)\r\nPING\r\n", of: $0) }
        let refusal = "-ERR 'Unknown Protocol Operation'\r\n"
        #expect(answers == ["PONG\r\n", refusal, refusal])
    }

    @Test("of what waits for them, handlers have a lower limit than max_pending")
    func pending() throws {
        let piped = try PipedBroker { $0.limits.pendingBytesMax = 64 << 20 }
        var limits: [Int] = []
        for peer in peers(piped) { _ = piped.connect(peer) }
        piped.broker.shared.loops[0].forEachConnection { limits.append($0.pointee.pendingBytesMax) }
        #expect(limits == [64 << 20, 4 << 20, 4 << 20])
    }
}
