import MartletTestSupport
import Testing

@testable import MartletBroker

/// Random clients do random things; what they get is what the rules of NATS say.
@Suite struct SemanticsTests {
    @Test(arguments: testSeeds(100))
    func everyDeliveryIsTheModels(seed: UInt64) throws {
        var random = SeededRandom(seed: seed &* 77)
        try runWorld(seed: seed, loops: 1 + random.below(4), turnsPerMove: 0)
    }

    @Test("so it is while connections move from loop to loop", arguments: [2, 4], testSeeds(100))
    func everyDeliveryIsTheModelsWhileConnectionsMove(loops: Int, seed: UInt64) throws {
        try runWorld(seed: seed, loops: loops, turnsPerMove: 1 + Int(seed % 8))
    }

    @Test("and in such a world they do move") func connectionsMove() throws {
        let moves = try (1...20).map { try runWorld(seed: $0, loops: 3, turnsPerMove: 2) }
        #expect(moves.reduce(0, +) > 200, "\(moves)")
    }

    /// How many connections have moved.
    @discardableResult
    private func runWorld(seed: UInt64, loops: Int, turnsPerMove: Int) throws -> Int {
        var world = try World(seed: seed, loops: loops, turnsPerMove: turnsPerMove)
        for _ in 0..<6 {
            world.changeInterest()
            world.publish()
            if let problem = world.problem {
                Issue.record("MARTLET_SEED=\(seed), \(loops) loops: \(problem)")
                return world.simulation.moveCount
            }
            if world.simulation.random.oneIn(3) { world.disconnectSomebody() }
        }
        #if DEBUG
        let left = world.simulation.bytesLeftAfterClosing()
        #expect(left == 0, "MARTLET_SEED=\(seed): \(left) bytes of blocks did not come back")
        #endif
        return world.simulation.moveCount
    }
}

/// Clients, what they have subscribed to, and what they must get.
private struct World {
    struct Interest {
        let client: SimulatedClient
        let sid: String
        let filter: [Substring]
        let queue: String
        /// Deliveries that are left of an UNSUB with a maximum.
        var left = Int.max
    }

    struct Publication {
        let publisher: Int
        let number: Int
        let subject: String
        let reply: String
        let header: String
        let payload: String
    }

    let simulation: Simulation
    private(set) var problem: String?
    private var interests: [Interest] = []
    private var echoes: [Bool] = []
    private var headers: [Bool] = []
    private var lastSID = 0
    private var lastNumber = 0

    private static let tokens: [Substring] = ["a", "b", "c", "_INBOX", "x1"]

    init(seed: UInt64, loops: Int, turnsPerMove: Int) throws {
        var random = SeededRandom(seed: seed &* 77 &+ 1)
        simulation = try Simulation(seed: seed, loops: loops)
        simulation.turnsPerMove = turnsPerMove
        for _ in 0..<(2 + random.below(5)) { connect() }
        settleInterest()
    }

    private var open: [SimulatedClient] { simulation.clients.filter { !$0.isClosed } }

    private mutating func connect() {
        let pipeBytes = simulation.random.pick([300, 5_000, 1 << 20])
        let client = simulation.connect(pipeBytes: pipeBytes)
        echoes.append(!simulation.random.oneIn(4))
        headers.append(!simulation.random.oneIn(4))
        client.queue(
            #"CONNECT {"verbose":false,"echo":\#(echoes[client.id]),"headers":\#(headers[client.id])}"#
                + "\r\n")
    }

    // MARK: What clients do

    mutating func changeInterest() {
        for _ in 0..<(4 + simulation.random.below(10)) {
            let client = simulation.random.pick(open)
            let own = interests.indices.filter { interests[$0].client === client }
            if !own.isEmpty, simulation.random.oneIn(3) {
                let i = simulation.random.pick(own)
                unsubscribe(i)
            } else {
                subscribe(client)
            }
        }
        settleInterest()
    }

    private mutating func subscribe(_ client: SimulatedClient) {
        lastSID += 1
        var filter = (0...simulation.random.below(3)).map { _ in
            simulation.random.oneIn(4) ? "*" : simulation.random.pick(Self.tokens)
        }
        if simulation.random.oneIn(5) { filter[filter.count - 1] = ">" }
        let queue = simulation.random.pick(["", "", "q", "workers"])
        let sid =
            simulation.random.oneIn(5) ? "long-sid-of-a-subscription-\(lastSID)" : "\(lastSID)"
        let middle = queue.isEmpty ? "" : queue + " "
        client.queue("SUB \(filter.joined(separator: ".")) \(middle)\(sid)\r\n")
        interests.append(Interest(client: client, sid: sid, filter: filter, queue: queue))
    }

    private mutating func unsubscribe(_ i: Int) {
        let interest = interests[i]
        // Which member a queue's message goes to is chance, so its maximum is not followed here.
        if interest.queue.isEmpty, interest.left == .max, simulation.random.oneIn(2) {
            let max = 1 + simulation.random.below(3)
            interest.client.queue(
                "UNSUB \(interest.sid) \(max + delivered[interest.sid, default: 0])\r\n")
            interests[i].left = max
        } else {
            interest.client.queue("UNSUB \(interest.sid)\r\n")
            interests.remove(at: i)
        }
    }

    private var delivered: [String: Int] = [:]

    mutating func disconnectSomebody() {
        guard open.count > 1 else { return }
        let client = simulation.random.pick(open)
        client.close()
        interests.removeAll { $0.client === client }
        if simulation.random.oneIn(2) { connect() }
        settleInterest()
    }

    private mutating func settleInterest() {
        if !simulation.barrier() { problem = problem ?? "a PING was not answered" }
        for client in open where !client.takeMessages().isEmpty {
            problem = problem ?? "client \(client.id) got a message that nobody sent"
        }
    }

    /// Everybody publishes at once, in pieces, while some read slowly.
    mutating func publish() {
        var publications: [Publication] = []
        for client in open {
            client.piece = simulation.random.pick([
                1 + simulation.random.below(7), 100, 4_000, .max,
            ])
            for _ in 0..<simulation.random.below(12) {
                let publication = makePublication(client)
                publications.append(publication)
                client.queue(Self.line(publication, &simulation.random))
            }
        }
        let deaf = open.filter { _ in simulation.random.oneIn(4) }
        for client in deaf { client.isDeaf = true }
        for _ in 0..<simulation.random.below(200) {
            _ = simulation.random.pick(open).move()
            simulation.turn()
        }
        for client in deaf { client.isDeaf = false }
        if !simulation.barrier() { problem = problem ?? "a PING was not answered" }
        check(publications)
    }

    private mutating func makePublication(_ client: SimulatedClient) -> Publication {
        lastNumber += 1
        let subject = (0...simulation.random.below(3)).map { _ in
            simulation.random.pick(Self.tokens)
        }
        .joined(separator: ".")
        let hasHeader = headers[client.id] && simulation.random.oneIn(3)
        let size = simulation.random.oneIn(25) ? 20_000 : simulation.random.pick([0, 5, 200])
        return Publication(
            publisher: client.id, number: lastNumber, subject: subject,
            reply: simulation.random.oneIn(3) ? "reply.\(lastNumber)" : "",
            header: hasHeader ? "NATS/1.0\r\nN: \(lastNumber)\r\n\r\n" : "",
            payload: "\(lastNumber) " + String(repeating: "\r\nx", count: size / 3))
    }

    private static func line(_ p: Publication, _ random: inout SeededRandom) -> String {
        let gap = random.oneIn(5) ? "  " : " "
        let reply = p.reply.isEmpty ? "" : p.reply + gap
        let total = p.header.utf8.count + p.payload.utf8.count
        let verb = p.header.isEmpty ? "PUB" : "HPUB"
        let sizes = p.header.isEmpty ? "\(total)" : "\(p.header.utf8.count) \(total)"
        return "\(verb) \(p.subject)\(gap)\(reply)\(sizes)\r\n\(p.header)\(p.payload)\r\n"
    }

    // MARK: What they must get

    private mutating func check(_ publications: [Publication]) {
        var got: [String: [Frame.Message]] = [:]
        for client in open {
            if let garbage = client.garbage {
                return fail("client \(client.id) got \(garbage.debugDescription)")
            }
            if let error = client.errors.first {
                return fail("client \(client.id) was told \(error)")
            }
            for message in client.takeMessages() {
                got["\(client.id)/\(message.sid)", default: []].append(message)
            }
        }
        let byNumber = Dictionary(uniqueKeysWithValues: publications.map { ($0.number, $0) })
        checkPlain(publications, &got)
        checkGroups(publications, got, byNumber)
        for i in interests.indices.reversed() where interests[i].left <= 0 {
            interests.remove(at: i)
        }
    }

    private func reaches(_ interest: Interest, _ p: Publication) -> Bool {
        (p.publisher != interest.client.id || echoes[p.publisher])
            && Self.covers(interest.filter[...], p.subject.split(separator: ".")[...])
    }

    private static func covers(
        _ filter: ArraySlice<Substring>, _ subject: ArraySlice<Substring>
    ) -> Bool {
        guard let first = filter.first else { return subject.isEmpty }
        guard let token = subject.first else { return false }
        if first == ">" { return true }
        return (first == "*" || first == token) && covers(filter.dropFirst(), subject.dropFirst())
    }

    private mutating func checkPlain(
        _ publications: [Publication], _ got: inout [String: [Frame.Message]]
    ) {
        for i in interests.indices where interests[i].queue.isEmpty {
            let interest = interests[i]
            let messages = got.removeValue(forKey: "\(interest.client.id)/\(interest.sid)") ?? []
            let due = publications.filter { reaches(interest, $0) }
            let expected = min(due.count, interest.left)
            guard messages.count == expected else {
                return fail(
                    "\(interest.filter) of client \(interest.client.id) got \(messages.count) messages, not \(expected)"
                )
            }
            delivered[interest.sid, default: 0] += messages.count
            if interest.left != .max { interests[i].left -= messages.count }
            checkOrderAndContent(messages, due, interest)
        }
    }

    private mutating func checkOrderAndContent(
        _ messages: [Frame.Message], _ due: [Publication], _ interest: Interest
    ) {
        var last: [Int: Int] = [:]
        for message in messages {
            guard let number = Int(message.text.prefix { $0.isNumber }),
                let p = due.first(where: { $0.number == number })
            else { return fail("\(interest.filter) got what it should not: \(message)") }
            guard last[p.publisher, default: 0] < number else {
                return fail("messages of client \(p.publisher) came in another order, or twice")
            }
            last[p.publisher] = number
            let header = headers[interest.client.id] ? p.header : ""
            guard message.subject == p.subject, message.reply ?? "" == p.reply,
                message.text == p.payload,
                message.header == header
            else { return fail("message \(number) came changed: \(message)") }
        }
    }

    /// One member of each group that a message reaches, and no other.
    private mutating func checkGroups(
        _ publications: [Publication], _ got: [String: [Frame.Message]],
        _ byNumber: [Int: Publication]
    ) {
        var counts: [String: Int] = [:]
        for interest in interests where !interest.queue.isEmpty {
            let messages = got["\(interest.client.id)/\(interest.sid)"] ?? []
            let due = publications.filter { reaches(interest, $0) }
            checkOrderAndContent(messages, due, interest)
            for message in messages {
                counts["\(interest.queue)/\(message.text.prefix { $0.isNumber })", default: 0] +=
                    1
            }
        }
        let known = Set(interests.map { "\($0.client.id)/\($0.sid)" })
        if let stray = got.keys.first(where: { !known.contains($0) }) {
            return fail("a closed subscription got a message: \(stray)")
        }
        for p in publications {
            let queues = Set(interests.filter { !$0.queue.isEmpty && reaches($0, p) }.map(\.queue))
            for queue in ["q", "workers"] {
                let expected = queues.contains(queue) ? 1 : 0
                let count = counts["\(queue)/\(p.number)", default: 0]
                guard count == expected else {
                    return fail(
                        "\(count) members of \(queue) got message \(p.number) to \(p.subject), not \(expected)"
                    )
                }
            }
        }
    }

    private mutating func fail(_ text: String) { problem = problem ?? text }
}
