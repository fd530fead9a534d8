import Logging
import Synchronization

@testable import MartletBroker

/// A broker of two loops on a clock that stands still; made once, since every connection ends with its input.
private final class FuzzedBroker: @unchecked Sendable {
    // SAFETY: libFuzzer has one thread.
    static let shared = FuzzedBroker()

    let time = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    let broker: Broker

    init() {
        time.initialize(to: 1_000_000_000)
        var configuration = BrokerConfiguration()
        configuration.loopCount = 2
        configuration.dontListen = true
        configuration.limits.controlLineBytesMax = 512
        configuration.limits.payloadBytesMax = 40_000
        configuration.limits.memoryBytesMax = 64 << 20
        configuration.limits.closedConnectionsMax = 4
        configuration.slowConsumers.rules = [
            .init(subject: "o.>", policy: .dropOld, pendingBytesMax: 2_000),
            .init(subject: "n.>", policy: .dropNew, pendingBytesMax: 2_000),
            .init(subject: "b.>", policy: .block, pendingBytesMax: 2_000),
        ]
        var logger = Logger(label: "fuzz")
        logger.logLevel = .critical
        guard
            let broker = try? Broker(
                simulating: configuration, clock: Clock(virtualTime: time), seed: 1, logger: logger)
        else { fatalError("no broker") }
        self.broker = broker
    }

    func turns() {
        for _ in 0..<50 {
            let busy = broker.shared.loops.filter { $0.mail.hasMail || $0.hasWorkLeft }
            if busy.isEmpty { return }
            for loop in busy { loop.events.turn(loop, waits: false) }
        }
    }
}

private final class Peer: Sendable {
    let handle = Mutex<SlabHandle?>(nil)
}

/// Bytes of two connections, one on each loop. A byte of the input says how many of the following go to
/// which connection in one piece, and whether its peer reads meanwhile.
@Sendable func fuzzBroker(_ input: [UInt8]) {
    let fuzzed = FuzzedBroker.shared
    let pipes = fuzzed.broker.shared.loops.map { connect(fuzzed, $0) }
    fuzzed.turns()
    for pipe in pipes {
        _ = pipe.peerSend(Array("CONNECT {\"verbose\":false,\"headers\":true}\r\n".utf8)[...])
    }
    var rest = input[...]
    while let steer = rest.first {
        rest = rest.dropFirst()
        let count = 1 + Int(steer & 0x3F) * (steer & 0x20 == 0 ? 1 : 16)
        let pipe = pipes[Int(steer >> 7)]
        _ = pipe.peerSend(rest.prefix(count))
        rest = rest.dropFirst(count)
        fuzzed.turns()
        if steer & 0x40 != 0 { _ = pipe.peerReceive() }
        fuzzed.time.pointee += 1_000_000
    }
    for pipe in pipes { pipe.peerClose() }
    for _ in 0..<4 { fuzzed.turns() }
    // Whom a pause still holds back goes on when its time has come.
    fuzzed.time.pointee += 20_000_000_000
    for _ in 0..<4 {
        for loop in fuzzed.broker.shared.loops { loop.events.turn(loop, waits: false) }
        fuzzed.turns()
    }
    let snapshot = fuzzed.broker.snapshot()
    check(snapshot.connections == 0, "\(snapshot.connections) connections were left")
    check(snapshot.subscriptions == 0, "\(snapshot.subscriptions) subscriptions were left")
    check(snapshot.memoryBytes < 64 << 20, "\(snapshot.memoryBytes) bytes are in use")
}

private func connect(_ fuzzed: FuzzedBroker, _ loop: BrokerLoop) -> MemoryPipe {
    let peer = Peer()
    let mail = loop.mail
    let pipe = MemoryPipe(
        capacity: 8_000,
        wakeBroker: {
            if let handle = peer.handle.withLock({ $0 }) { mail.post(.pipeMoved(handle)) }
        },
        wakePeer: {})
    mail.post(
        .adoptPipe(
            pipe, id: fuzzed.broker.shared.nextConnectionID(), name: "fuzz",
            then: { handle in peer.handle.withLock { $0 = handle } }))
    return pipe
}
