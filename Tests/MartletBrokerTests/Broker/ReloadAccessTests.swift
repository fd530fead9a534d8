import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("A reload ends access", .timeLimit(.minutes(3)))
struct ReloadAccessTests {
    /// "secret" and "other", each at cost 4.
    static let secretHash = AuthenticatorTests.hash
    static let otherHash = "$2b$04$" + "0CyEAWxA85agd1JNL43KyeomfIEVIy9S/net1iVaLW3obj/E0.bJ2"

    typealias Authorization = BrokerConfiguration.Authorization

    /// A way to be there, and what a reload makes of it.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let before: @Sendable (inout BrokerConfiguration) -> Void
        let credentials: String
        let after: @Sendable (inout BrokerConfiguration) -> Void

        init(
            _ description: String, _ credentials: String,
            before: @escaping @Sendable (inout BrokerConfiguration) -> Void,
            after: @escaping @Sendable (inout BrokerConfiguration) -> Void
        ) {
            testDescription = description
            self.credentials = credentials
            self.before = before
            self.after = after
        }
    }

    private static func users(
        _ users: BrokerConfiguration.User...
    ) -> @Sendable (inout BrokerConfiguration) -> Void {
        {
            $0.authorization = Authorization()
            $0.authorization.users = users
            $0.accounts = ["A", "B"]
        }
    }

    private static func login(_ user: String, _ password: String) -> String {
        "\"user\":\"\(user)\",\"pass\":\"\(password)\""
    }

    static let ending = [
        Change(
            "another password", login("ann", "a"),
            before: users(.init(name: "ann", password: "a")),
            after: users(.init(name: "ann", password: "b"))),
        Change(
            "a user taken away", login("ann", "a"),
            before: users(.init(name: "ann", password: "a"), .init(name: "bob", password: "b")),
            after: users(.init(name: "bob", password: "b"))),
        Change(
            "another hash of another password", login("ann", "secret"),
            before: users(.init(name: "ann", password: secretHash)),
            after: users(.init(name: "ann", password: otherHash))),
        Change(
            "another token", "\"auth_token\":\"t\"", before: { $0.authorization.token = "t" },
            after: { $0.authorization.token = "u" }),
        Change(
            "another single user", login("ann", "a"),
            before: { ($0.authorization.user, $0.authorization.password) = ("ann", "a") },
            after: { ($0.authorization.user, $0.authorization.password) = ("bob", "a") }),
        Change(
            "credentials where none were asked for", "\"name\":\"x\"", before: { _ in },
            after: users(.init(name: "ann", password: "a"))),
        Change(
            "no user without credentials any more", "\"name\":\"x\"",
            before: {
                users(.init(name: "ann", password: "a"))(&$0)
                $0.authorization.noAuthUser = "ann"
            }, after: users(.init(name: "ann", password: "a"))),
    ]

    static let staying = [
        Change(
            "another user's password", login("ann", "a"),
            before: users(.init(name: "ann", password: "a"), .init(name: "bob", password: "b")),
            after: users(.init(name: "ann", password: "a"), .init(name: "bob", password: "c"))),
        Change(
            "the password as a hash", login("ann", "secret"),
            before: users(.init(name: "ann", password: "secret")),
            after: users(.init(name: "ann", password: secretHash))),
        Change(
            "the same hash", login("ann", "secret"),
            before: users(.init(name: "ann", password: secretHash)),
            after: users(
                .init(name: "ann", password: secretHash), .init(name: "bob", password: "b"))),
        Change(
            "no credentials asked for any more", login("ann", "a"),
            before: users(.init(name: "ann", password: "a")),
            after: { $0.authorization = Authorization() }),
        Change(
            "a user for those without credentials", "\"name\":\"x\"", before: { _ in },
            after: {
                users(.init(name: "ann", password: "a"))(&$0)
                $0.authorization.noAuthUser = "ann"
            }),
    ]

    private func connect(_ change: Change, to broker: TestBroker) throws -> RawClient {
        let client = try broker.rawClient()
        try client.send("CONNECT {\"verbose\":false,\(change.credentials)}\r\nSUB a 1\r\nPING\r\n")
        _ = try client.framesToPong()
        return client
    }

    private func reload(_ broker: TestBroker, _ change: Change) throws {
        var configuration = broker.broker.configuration
        change.after(&configuration)
        try broker.broker.reload(configuration)
    }

    @Test("of who has no right to it any more, over each wire", arguments: ending, BrokerSetup.all)
    func ends(_ change: Change, _ setup: BrokerSetup) throws {
        let broker = try setup.broker(change.before)
        let clients = try (0..<setup.loops).map { _ in try connect(change, to: broker) }
        try reload(broker, change)
        for client in clients {
            #expect(try client.framesToEnd().last == .error("'Authorization Violation'"))
        }
        let closed = broker.broker.shared.closedConnections
        #expect(closed.map(\.closeReason).allSatisfy { $0 == "Authentication Failure" })
    }

    @Test(
        "of nobody who still has a right to it, and who loses nothing", arguments: staying, [1, 4])
    func stays(_ change: Change, loops: Int) throws {
        let broker = try TestBroker(loops: loops, change.before)
        let clients = try (0..<loops).map { _ in try connect(change, to: broker) }
        try clients[0].send("PUB a 1\r\n1\r\n")
        try reload(broker, change)
        try clients[0].send("PUB a 1\r\n2\r\n")
        for client in clients {
            #expect(try client.message().text == "1")
            #expect(try client.message().text == "2")
            #expect(try client.barrier().isEmpty)
        }
    }

    @Test("of who is in another account now, without a word, as nats-server does")
    func moves() throws {
        let broker = try TestBroker(
            changing(Self.users(.init(name: "ann", password: "a", account: "A"))))
        let change = Change(
            "", Self.login("ann", "a"), before: { _ in },
            after: Self.users(.init(name: "ann", password: "a", account: "B")))
        let client = try connect(change, to: broker)
        try reload(broker, change)
        #expect(try client.framesToEnd().isEmpty)
        let again = try connect(change, to: broker)
        try again.barrier()
        #expect(broker.connections().map(\.account) == ["B"])
    }

    @Test("but who has not said CONNECT yet is asked for credentials, or not any more")
    func beforeConnect() throws {
        let broker = try TestBroker()
        let (early, active) = (try broker.rawClient(), try broker.rawClient())
        _ = try early.next()
        try active.send("SUB a 1\r\nPING\r\n")
        _ = try active.framesToPong()
        var configuration = broker.broker.configuration
        configuration.authorization.token = "t"
        try broker.broker.reload(configuration)
        #expect(try active.framesToEnd().last == .error("'Authorization Violation'"))
        try early.send("CONNECT {\"verbose\":false,\"auth_token\":\"t\"}\r\nPING\r\n")
        _ = try early.framesToPong()
        let third = try broker.rawClient()
        configuration.authorization.token = nil
        try broker.broker.reload(configuration)
        try third.send("PING\r\n")
        _ = try third.framesToPong()
    }

    @Test("of a login whose hash is being compared when the reload comes")
    func duringLogin() throws {
        let slow = "$2b$13$" + Self.secretHash.dropFirst(7)
        let broker = try TestBroker { $0.authorization.token = slow }
        let client = try broker.rawClient()
        // The processor may be busy.
        client.timeoutSeconds = 100
        try client.send("CONNECT {\"verbose\":false,\"auth_token\":\"new\"}\r\nPING\r\n")
        #expect(eventually { broker.broker.shared.credentialChecks.attemptCount == 1 })
        var configuration = broker.broker.configuration
        configuration.authorization.token = "new"
        try broker.broker.reload(configuration)
        _ = try client.framesToPong()
    }

    @Test("of nobody whose check a second reload makes needless")
    func duringReload() throws {
        let slow = "$2b$14$" + Self.secretHash.dropFirst(7)
        let broker = try TestBroker { $0.authorization.token = "t" }
        let client = try broker.rawClient()
        client.timeoutSeconds = 100
        try client.send("CONNECT {\"verbose\":false,\"auth_token\":\"t\"}\r\nPING\r\n")
        _ = try client.framesToPong()
        for token in [slow, slow + "x", "t"] {
            var configuration = broker.broker.configuration
            configuration.authorization.token = token
            try broker.broker.reload(configuration)
        }
        try client.barrier()
    }

    @Test("of a handler of this process that has no credentials any more")
    func handler() throws {
        let broker = try TestBroker { $0.authorization.token = "t" }
        let registration = try broker.broker.respond(
            to: "echo", credentials: .token("t")
        ) { _ in }
        #expect(broker.broker.shared.closedConnections.isEmpty)
        var configuration = broker.broker.configuration
        configuration.authorization.token = "u"
        try broker.broker.reload(configuration)
        #expect(
            eventually {
                broker.broker.shared.closedConnections.contains {
                    $0.closeReason == "Authentication Failure"
                }
            })
        registration.cancel()
    }

    @Test("of as many as are over a lowered max_connections, and of no more", arguments: [1, 4])
    func surplus(loops: Int) throws {
        let broker = try TestBroker(loops: loops) { $0.limits.connectionsMax = 20 }
        let clients = try broker.clients(20)
        var configuration = broker.broker.configuration
        configuration.limits.connectionsMax = 7
        try broker.broker.reload(configuration)
        #expect(eventually { broker.connections().count == 7 })
        let refused = try broker.rawClient()
        #expect(try refused.framesToEnd().last == .error("'maximum connections exceeded'"))
        let open = Set(broker.connections().map(\.id))
        #expect(open.count == 7)
        var told = 0
        for client in clients {
            // Who is closed may find the PING unwelcome already.
            try? client.send("PING\r\n")
            if case .error("'maximum connections exceeded'") = try client.next() { told += 1 }
        }
        #expect(told == 13)
        configuration.limits.connectionsMax = 8
        try broker.broker.reload(configuration)
        _ = try broker.client()
    }
}
