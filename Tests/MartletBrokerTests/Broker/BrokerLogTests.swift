import Logging
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("The log of events")
struct BrokerLogTests {
    private func lines(
        of events: [BrokerEvent], from level: Logger.Level = .trace
    ) -> [String] {
        let lines = LogLines()
        let log = BrokerLog(logger: lines.logger(from: level))
        for event in events { log.record(event) }
        return lines.all
    }

    private let peer = PeerDescription(id: 7, ip: "10.0.0.1", port: 80, name: "alpha", user: "ann")

    @Test(
        "has a line for whatever happens to a connection",
        arguments: [
            (.connected, "debug", "Client connection created"),
            (.closed(.staleConnection), "debug", "Client connection closed: Stale Connection"),
            (.authenticationFailed(as: .nobody), "error", "authentication error"),
            (
                .authenticationFailed(as: .user("e\u{1B}ve")), "error",
                "authentication error - User \"e\\x1bve\""
            ),
            (
                .authenticationFailed(as: .token), "error",
                "authentication error - Token \"[REDACTED]\""
            ),
            (.protocolLevelUnknown, "error", "invalid client protocol"),
            (.headersMissing, "error", "no responders requires headers support"),
            (.subscriptionsExceeded, "error", "maximum subscriptions exceeded"),
            (
                .subscriptionMemoryExceeded, "error",
                "maximum subscriptions exceeded, since they may take half of max_memory"
            ),
            (
                .slowConsumer(.subscriptions(count: 9)), "info",
                "Slow Consumer Detected: max_memory reached, 9 subscriptions held"
            ),
            (
                .subscriptionRefused(
                    subject: "q", queue: "_sys_", sid: "1", hasTooManyTokens: false), "error",
                "Subscription Violation - Subject \"q\", Queue: \"_sys_\", SID 1"
            ),
            (
                .subscriptionRefused(
                    subject: "a.b", queue: "", sid: "1", hasTooManyTokens: true), "error",
                "Subscription Violation Too Many Tokens - Subject \"a.b\", SID 1"
            ),
            (.publishRefused(subject: "$NRG.a"), "error", "Publish Violation - Subject \"$NRG.a\""),
            (.authenticationTimedOut, "debug", "Authentication Timeout"),
            (.connectionsExceeded, "error", "maximum connections exceeded"),
            (.connectInvalid, "error", "invalid CONNECT"),
            (
                .violation(.payloadTooLarge(2_000, max: 100)), "error",
                "maximum payload exceeded: 2000 vs 100"
            ),
            (.violation(.controlLineTooLong), "error", "maximum control line exceeded"),
            (.violation(.headersNotSupported), "error", "message headers not supported"),
            (
                .violation(.badArguments(.subscribe, Array("a".utf8))), "error",
                "processSub Parse Error: \"a\""
            ),
            (
                .violation(.unknownOperation(at: 104, beginning: Array("FOO\r".utf8))), "error",
                "Client parser ERROR, i=104: proto='\"FOO\\r\"...'"
            ),
            (.errorReceived("'oh \u{1B}[31m'"), "error", "Client Error 'oh \\x1b[31m'"),
            (
                .slowConsumer(.pendingBytes(max: 99)), "info",
                "Slow Consumer Detected: MaxPending of 99 Exceeded"
            ),
            (
                .slowConsumer(
                    .writeDeadline(nanoseconds: 2_000_000_000, chunks: 3, pendingBytes: 5)), "info",
                "Slow Consumer Detected: WriteDeadline of 2s exceeded with 3 chunks of 5 total bytes."
            ),
            (
                .slowConsumer(.blockedPublishers), "info",
                "Slow Consumer Detected: blocked its publishers for longer than block_max"
            ),
            (
                .slowConsumer(.memory(heldBytes: 5)), "info",
                "Slow Consumer Detected: max_memory reached, 5 bytes held"
            ),
            (
                .dropsMessages(pendingBytesMax: 99), "warning",
                "Slow Consumer: MaxPending of 99 Exceeded, its policy drops messages; /connz counts them"
            ),
            (.stale, "debug", "Stale Client Connection - Closing"),
            (.traced(.received, verb: "PING", argument: nil), "trace", "<<- [PING]"),
            (.traced(.sent, verb: "MSG", argument: "a\n 1"), "trace", "->> [MSG a\\n 1]"),
            (
                .tracedPayload(.received, Array("h\"i\r".utf8), isWhole: true), "trace",
                "<<- MSG_PAYLOAD: [\"h\\\"i\\r\"]"
            ),
            (
                .tracedPayload(.sent, [0xFF], isWhole: false), "trace",
                "->> MSG_PAYLOAD: [\"\\xff...\"]"
            ),
        ] as [(ConnectionEvent, String, String)])
    func connectionEvents(event: ConnectionEvent, level: String, text: String) {
        #expect(
            lines(of: [.connection(event, peer)]) == ["\(level) 10.0.0.1:80 - cid:7 - \(text)"])
    }

    @Test("tells program, account and user of who is known")
    func identity() {
        var peer = peer
        (peer.version, peer.language, peer.name) = ("1.2", "go", "my\nname")
        (peer.account, peer.claim) = ("A", .user("ann"))
        #expect("\(peer)" == "10.0.0.1:80 - cid:7")
        peer.isIdentified = true
        #expect("\(peer)" == #"10.0.0.1:80 - cid:7 - "v1.2:go:my\nname" - "A/user:ann""#)
        (peer.version, peer.claim) = ("", .token)
        #expect("\(peer)" == #"10.0.0.1:80 - cid:7 - "go:my\nname" - "A/token""#)
        (peer.language, peer.name, peer.claim) = ("", "", .nobody)
        #expect("\(peer)" == "10.0.0.1:80 - cid:7")
    }

    @Test("puts the address of IPv6 in brackets")
    func brackets() {
        let peer = PeerDescription(id: 1, ip: "::1", port: 4222)
        #expect(
            lines(of: [.connection(.stale, peer)])
                == ["debug [::1]:4222 - cid:1 - Stale Client Connection - Closing"])
    }

    @Test("has a line for what happens to a loop and to the broker")
    func otherEvents() {
        var stall = LoopStall(
            loop: 1, nanoseconds: 5_999_000, events: 2, commands: 3, deliveries: 4)
        let short = "warning Loop 1 stalled for 5999us: 2 events, 3 commands, 4 deliveries"
        #expect(lines(of: [.loopStalled(stall)]) == [short])
        stall.mostOfIt = "input of cid:7"
        let failure = SystemFailure("listen", code: 13)
        #expect(
            lines(of: [
                .loopStalled(stall), .listening(for: .client, address: "[::1]:4222"),
                .listeningFailed(for: .client, failure),
                .descriptorsSpent(refused: 3), .watchingFailed(failure),
                .publishersAwaitMemory(
                    MemoryWait(loop: 1, connections: 7, usedBytes: 90, bytesMax: 80)),
                .lameDuckBegins, .lameDuckClosesClients,
            ]) == [
                short + ", most of it input of cid:7",
                "info Listening for client connections on [::1]:4222",
                "error Error trying to listen for client connections: listen: Permission denied",
                "error Error accepting a connection: too many open files, 3 refused",
                "error Error registering a connection: listen: Permission denied",
                "warning Publishers wait for memory: up to 7 at once on loop 1, 90 bytes in use, "
                    + "max_memory is 80",
                "info Entering lame duck mode, stop accepting new clients",
                "info Closing existing clients",
            ])
    }

    @Test("leaves out what is below its level")
    func levels() {
        let events: [BrokerEvent] = [
            .connection(.connected, peer), .connection(.slowConsumer(.blockedPublishers), peer),
        ]
        #expect(lines(of: events, from: .info).count == 1)
        #expect(lines(of: events, from: .error).isEmpty)
    }
}
