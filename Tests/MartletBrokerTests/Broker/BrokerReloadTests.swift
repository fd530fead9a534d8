import Logging
import MartletRules
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite(
    "What a broker refuses, at its start and at a reload",
    .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct BrokerReloadTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable (inout BrokerConfiguration) -> Void

        init(_ message: String, _ make: @escaping @Sendable (inout BrokerConfiguration) -> Void) {
            testDescription = message
            self.make = make
        }
    }

    static let mistakes: [Mistake] = [
        Mistake("max_payload (2000) cannot be higher than max_pending (1000)") {
            $0.limits.payloadBytesMax = 2_000
            $0.limits.pendingBytesMax = 1_000
        },
        Mistake("no_auth_user: \"bob\" present, but users/nkeys are not defined") {
            $0.authorization.noAuthUser = "bob"
        },
        Mistake(
            "lame duck grace period (2s) should be strictly lower than lame duck duration (1s)"
        ) {
            $0.lameDuck.gracePeriodNanoseconds = 2_000_000_000
            $0.lameDuck.durationNanoseconds = 1_000_000_000
        },
        Mistake("error resolving system account: account missing") { $0.systemAccount = "S" },
        Mistake("Duplicate user \"a\" detected") {
            $0.authorization.users = [
                .init(name: "a", password: "1"), .init(name: "a", password: "2"),
            ]
        },
        Mistake("user \"a\" is in no account: \"A\" is missing") {
            $0.authorization.users = [.init(name: "a", password: "1", account: "A")]
        },
        Mistake("an account is there twice, or is \"$G\"") { $0.accounts = ["A", "A"] },
        Mistake("Cannot have a user/pass and token") {
            $0.authorization.user = "a"
            $0.authorization.password = "b"
            $0.authorization.token = "c"
        },
        Mistake("there is a password without a user, which would let everybody in") {
            $0.authorization.password = "b"
        },
        Mistake("max_control_line is 1073741824, but takes 1 to 16777216") {
            $0.limits.controlLineBytesMax = 1 << 30
        },
        Mistake("max_connections is -1, but takes 0 or more") { $0.limits.connectionsMax = -1 },
    ]

    @Test("a program's mistakes are those of a file", arguments: mistakes)
    func isRefused(_ mistake: Mistake) throws {
        var configuration = BrokerConfiguration()
        mistake.make(&configuration)
        let error = #expect(throws: BrokerError.self) {
            try Broker(configuration: configuration, logger: .silent)
        }
        #expect(error?.message == mistake.testDescription)

        let broker = try TestBroker()
        var changed = broker.broker.configuration
        mistake.make(&changed)
        let refusal = #expect(throws: BrokerError.self) { try broker.broker.reload(changed) }
        #expect(refusal?.message == mistake.testDescription)
    }

    @Test("a port that there is not is told by its key")
    func port() {
        var configuration = BrokerConfiguration()
        configuration.port = 99_999
        let error = #expect(throws: BrokerError.self) { try configuration.validate() }
        #expect(error?.message == "port is 99999, but takes -1 to 65535")
    }

    @Test(
        "a raised max_control_line holds at once, for who is connected too, and so does a lowered one",
        arguments: [1, 2])
    func controlLine(loops: Int) throws {
        let broker = try TestBroker(loops: loops)
        let early = try broker.clients(loops)
        let subject = String(repeating: "a", count: 1 << 20)
        var configuration = broker.broker.configuration
        configuration.limits.controlLineBytesMax = 2 << 20
        #expect(try broker.broker.reload(configuration) == ["max_control_line = 2097152"])
        for client in early + (try broker.clients(loops)) {
            try client.send("SUB \(subject) 1\r\nPUB \(subject) reply 2\r\nhi\r\n")
            let frames = try client.barrier()
            #expect(frames.compactMap(\.message).contains { $0.text == "hi" })
            try client.send("UNSUB 1\r\n")
            try client.barrier()
        }
        configuration.limits.controlLineBytesMax = 4_096
        try broker.broker.reload(configuration)
        for client in early {
            // The broker may have closed it before all of it is sent.
            try? client.send("SUB \(subject) 1\r\n")
            #expect(try client.framesToEnd().last == .error("'maximum control line exceeded'"))
        }
    }

    @Test("rules are compiled once, by whoever reads them")
    func rulesAreCompiledOnce() throws {
        var configuration = try ConfigurationUnderTest.configure(
            "rules { r { subject: a, validate: json } }")
        let set = try #require(configuration.rules).compiledSet()
        #expect(try #require(configuration.rules).compiledSet() === set)
        let broker = try TestBroker()
        var changed = broker.broker.configuration
        changed.rules = configuration.rules
        #expect(try broker.broker.reload(changed) == ["rules = 1"])
        for loop in broker.broker.shared.loops {
            let active = try #require(loop.state.pointee.ruleStage.rules)
            #expect(active._withUnsafeGuaranteedRef { $0.set } === set)
        }
        configuration.rules?.definition.rules[0].subject = "b"
        #expect(try #require(configuration.rules).compiledSet() !== set)
    }
}
