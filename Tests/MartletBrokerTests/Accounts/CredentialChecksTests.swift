import Glibc
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Checks of credentials that take long", .timeLimit(.minutes(3)))
struct CredentialChecksTests {
    private static func attempt(_ given: String, cost: String = "04") -> LoginAttempt {
        let hash = "$2b$\(cost)$" + AuthenticatorTests.hash.dropFirst(7)
        return LoginAttempt(given: given, requirement: .token(hash))
    }

    /// Stands for hashes that take as long as the test likes: the first thread waits for `open`.
    private final class Gate: Sendable {
        let isOpen = Guarded(false)

        func open() { isOpen.withLock { $0 = true } }

        func wait() { while !isOpen.withLock({ $0 }) { usleep(1_000) } }

        func checks() -> CredentialChecks {
            CredentialChecks(threadsMax: 1) { work throws(SystemFailure) in
                try NativeThread(name: "authentication") {
                    self.wait()
                    work()
                }
            }
        }
    }

    private final class Answers: Sendable {
        let given = Guarded<[String]>([])

        func take(_ attempt: LoginAttempt, _ isRight: Bool) {
            given.withLock { $0.append("\(attempt.given) \(isRight)") }
        }

        var all: [String] { given.withLock { $0 } }
    }

    @Test("are made in turns of addresses, whatever one of them has waiting")
    func fair() throws {
        let (gate, answers) = (Gate(), Answers())
        let checks = gate.checks()
        for i in 0..<5 {
            try checks.submit(Self.attempt("a\(i)"), by: UInt64(i), from: "1.1.1.1", answers.take)
        }
        try checks.submit(Self.attempt("secret"), by: 100, from: "2.2.2.2", answers.take)
        gate.open()
        #expect(eventually { answers.all.count == 6 })
        #expect(answers.all.prefix(2) == ["a0 false", "secret true"])
        checks.stop()
    }

    @Test("are not made for connections that have ended")
    func cancelled() throws {
        let (gate, answers) = (Gate(), Answers())
        let checks = gate.checks()
        // Hours, if they were made.
        for i in 0..<1_000 {
            let attempt = Self.attempt("a\(i)", cost: "20")
            try checks.submit(attempt, by: UInt64(i), from: "1.1.1.1", answers.take)
        }
        try checks.submit(Self.attempt("secret"), by: 5_000, from: "1.1.1.1", answers.take)
        for i in 0..<1_000 { checks.cancel(UInt64(i)) }
        #expect(checks.attemptCount == 1)
        gate.open()
        #expect(eventually { answers.all == ["secret true"] })
        checks.stop()
    }

    @Test("are made once for all who say the same, for as long as one of them is there")
    func equal() throws {
        let (gate, answers) = (Gate(), Answers())
        let checks = gate.checks()
        for i in 0..<3 {
            try checks.submit(Self.attempt("secret"), by: UInt64(i), from: "\(i)", answers.take)
        }
        #expect(checks.attemptCount == 1)
        checks.cancel(0)
        gate.open()
        #expect(eventually { answers.all == ["secret true", "secret true"] })
        checks.stop()
    }

    @Test("do not wait in another address's line for who says the same as somebody there")
    func equalInOtherLine() throws {
        let (gate, answers) = (Gate(), Answers())
        let checks = gate.checks()
        for (i, given) in ["a", "b", "c", "secret"].enumerated() {
            try checks.submit(Self.attempt(given), by: UInt64(i), from: "1.1.1.1", answers.take)
        }
        try checks.submit(Self.attempt("secret"), by: 9, from: "2.2.2.2", answers.take)
        gate.open()
        #expect(eventually { answers.all.count == 5 })
        #expect(
            answers.all == ["a false", "secret true", "secret true", "b false", "c false"])
        checks.stop()
    }

    @Test("are made on as many threads as there may be")
    func threads() throws {
        let (gate, answers) = (Gate(), Answers())
        let made = Answers()
        let checks = CredentialChecks(threadsMax: 3) { work throws(SystemFailure) in
            made.given.withLock { $0.append("thread") }
            return try NativeThread(name: "authentication") {
                gate.wait()
                work()
            }
        }
        for i in 0..<10 {
            try checks.submit(Self.attempt("a\(i)"), by: UInt64(i), from: "1.1.1.1", answers.take)
        }
        #expect(made.all.count == 3)
        gate.open()
        #expect(eventually { answers.all.count == 10 })
        checks.stop()
    }

    @Test("are not made by who asks, when no thread can be made")
    func noThread() {
        let answers = Answers()
        let checks = CredentialChecks(threadsMax: 1) { _ throws(SystemFailure) in
            throw SystemFailure("pthread_create", code: EAGAIN)
        }
        #expect(throws: SystemFailure.self) {
            try checks.submit(Self.attempt("secret"), by: 1, from: "1.1.1.1", answers.take)
        }
        #expect(answers.all.isEmpty && checks.attemptCount == 0)
    }

    @Test("keep no more memory than those who wait, however many come and go")
    func comeAndGo() {
        var queue = LoginQueue()
        for i in 0..<10_000 as Range<UInt64> {
            queue.append(Self.attempt("a\(i)"), by: i, from: "1.1.1.1") { _, _ in }
            queue.remove(i)
        }
        #expect(queue.attemptCount == 0 && queue.lineCount <= 65)
        #expect(queue.takeNext() == nil)
    }

    @Test("end with the client: its descriptor is closed at once, and others do not wait for it")
    func clientsThatAreGone() throws {
        let slow = "$2b$10$" + AuthenticatorTests.hash.dropFirst(7)
        let broker = try TestBroker {
            $0.authorization.users = [
                .init(name: "slow", password: slow),
                .init(name: "ann", password: AuthenticatorTests.hash),
            ]
        }
        // Together they take seconds.
        for i in 0..<100 {
            let client = try broker.rawClient()
            try client.send("CONNECT {\"user\":\"slow\",\"pass\":\"\(i)\"}\r\n")
            client.close()
        }
        #expect(eventually { broker.connections().isEmpty })
        #expect(broker.broker.shared.credentialChecks.attemptCount <= 2)
        let client = try broker.rawClient()
        try client.send(
            "CONNECT {\"verbose\":false,\"user\":\"ann\",\"pass\":\"secret\"}\r\nPING\r\n")
        _ = try client.framesToPong()
    }

    @Test("are made for a user that there is not, as for one that there is")
    func unknownUsers() {
        let accounts = AccountDirectory(budget: MemoryBudget(bytesMax: 1 << 24), seed: 1)
        var authorization = BrokerConfiguration.Authorization()
        authorization.users = [.init(name: "ann", password: AuthenticatorTests.hash)]
        let users = Authenticator(authorization, accounts: accounts)
        authorization = BrokerConfiguration.Authorization()
        (authorization.user, authorization.password) = ("ann", AuthenticatorTests.hash)
        for authenticator in [users, Authenticator(authorization, accounts: accounts)] {
            for name in ["ann", "bob", ""] {
                let attempt = authenticator.attempt(Credentials(user: name, password: "secret"))
                #expect(attempt.isSlow)
                #expect(attempt.succeeds() == (name == "ann"))
            }
        }
    }
}
