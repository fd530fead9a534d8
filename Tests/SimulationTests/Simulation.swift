import Logging
import MartletTestSupport

@testable import MartletBroker

/// A whole broker on a virtual clock and in-memory connections, on one thread. Loops take single turns
/// in an order that a seed decides, so a run repeats exactly.
final class Simulation {
    let seed: UInt64
    let broker: Broker
    var random: SeededRandom
    private(set) var clients: [SimulatedClient] = []
    /// One connection in so many turns goes to another loop; 0 for none.
    var turnsPerMove = 0
    private(set) var moveCount = 0
    private let time = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)

    init(
        seed: UInt64, loops: Int = 1, logger: Logger = .silent,
        configure: (inout BrokerConfiguration) -> Void = { _ in }
    ) throws {
        self.seed = seed
        random = SeededRandom(seed: seed)
        time.initialize(to: 1_000_000_000)
        let configuration = BrokerConfiguration.underTest(loops: loops) {
            $0.dontListen = true
            $0.limits.memoryBytesMax = 1 << 30
            configure(&$0)
        }
        broker = try Broker(
            simulating: configuration, clock: Clock(virtualTime: time), seed: seed, logger: logger)
    }

    deinit {
        for loop in broker.shared.loops { loop.closeEverything() }
        time.deallocate()
    }

    var now: UInt64 { time.pointee }
    var loops: [BrokerLoop] { broker.shared.loops }

    // MARK: Clients

    /// A new connection, on the given loop or a random one; not adopted before that loop's turn.
    func connect(
        as peer: PipePeer = .client, pipeBytes: Int = 1 << 20, loop: Int? = nil
    ) -> SimulatedClient {
        let index = loop ?? random.below(loops.count)
        let client = SimulatedClient(
            id: clients.count, mail: loops[index].mail, capacity: pipeBytes, loop: index)
        clients.append(client)
        loops[index].mail.post(
            .adoptPipe(
                client.pipe, from: peer, id: broker.shared.nextConnectionID(),
                name: "client\(client.id)",
                then: { [address = client.address] in address.set($0) }))
        return client
    }

    // MARK: Turns

    /// One turn of a random loop.
    func turn() {
        moveAtTimes()
        let loop = loops[random.below(loops.count)]
        loop.events.turn(loop, waits: false)
    }

    /// Turns until nobody has anything left to do; clients' bytes are moved where `moving` says so.
    func settle(_ moving: Bool = true) {
        for _ in 0..<100_000 {
            var moved = false
            if moving { for client in clients where client.move() { moved = true } }
            let busy = loops.filter { $0.mail.hasMail || $0.hasWorkLeft }
            if busy.isEmpty, !moved { return }
            moveAtTimes()
            for loop in busy.shuffled(using: &random) { loop.events.turn(loop, waits: false) }
        }
        fatalError("seed \(seed): the broker never comes to rest")
    }

    // MARK: Moves

    /// The loop that has the client's connection, and the connection.
    func place(of client: SimulatedClient) -> (loop: BrokerLoop, connection: ConnectionRef)? {
        let mail = client.address.mail
        guard let loop = loops.first(where: { $0.mail === mail }),
            let handle = client.address.value,
            let connection = loop.connection(handle)
        else { return nil }
        return (loop, connection)
    }

    func loopIndex(of client: SimulatedClient) -> Int? { place(of: client)?.loop.index }

    /// Begins to move a client's connection; false when it stays for now.
    @discardableResult
    func move(_ client: SimulatedClient, to target: Int) -> Bool {
        guard let place = place(of: client), place.loop.move(place.connection, to: target) else {
            return false
        }
        moveCount += 1
        return true
    }

    private func moveAtTimes() {
        guard turnsPerMove > 0, loops.count > 1, !clients.isEmpty, random.oneIn(turnsPerMove)
        else { return }
        move(random.pick(clients), to: random.below(loops.count))
    }

    /// Lets time pass; every loop has a turn after each step.
    func advance(milliseconds: Int, stepMilliseconds: Int = 10, moving: Bool = true) {
        var left = milliseconds
        while left > 0 {
            let step = min(left, stepMilliseconds)
            time.pointee += UInt64(step) * 1_000_000
            left -= step
            for loop in loops.shuffled(using: &random) { loop.events.turn(loop, waits: false) }
            settle(moving)
        }
    }

    /// Every client's PING is answered, twice: after the second one, all that was published before is there.
    func barrier() -> Bool {
        for _ in 0..<2 {
            let waiting = clients.filter { !$0.isClosed }
            let before = waiting.map(\.pongs)
            for client in waiting { client.queue("PING\r\n") }
            settle()
            for (client, pongs) in zip(waiting, before)
            where !client.isClosed && client.pongs != pongs + 1 {
                return false
            }
        }
        return true
    }

    // MARK: Memory

    #if DEBUG
    /// Closes every connection; what blocks are then still in somebody's hands.
    func bytesLeftAfterClosing() -> Int {
        for client in clients { client.close() }
        settle()
        var left = 0
        for _ in 0..<2 {
            for loop in loops {
                for target in loops { loop.outgoing[target.index].pointee.destroy(pool: loop.pool) }
                loop.returns.collect(into: loop.pool)
                loop.cache.removeAll()
            }
        }
        for loop in loops { left += loop.pool.liveBytes + loop.namePool.liveBytes }
        return left + broker.shared.accounts.global.space.pointee.contents.pointee.tree.liveBytes
    }
    #endif
}
