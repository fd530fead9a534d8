import Foundation
import Glibc
import MartletBroker
import MartletTestSupport
import Testing

@testable import MartletCLI

/// A server that says one thing to whoever connects, and then nothing more.
private final class ScriptedServer: Sendable {
    private let socket: ListeningSocket

    init(_ text: String) throws {
        let socket = try ListeningSocket(HostAndPort(host: "127.0.0.1", port: 0))
        self.socket = socket
        Thread.detachNewThread {
            var ready = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 10_000) == 1 else { return }
            // Open until the test's process ends.
            let client = accept(socket.descriptor, nil, nil)
            _ = text.withCString { send(client, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        }
    }

    deinit { close(socket.descriptor) }

    var url: ServerURL { get throws { try ServerURL("127.0.0.1:\(socket.port)") } }
}

@Suite("What client commands make of failures", .serialized, .timeLimit(.minutes(2)))
struct ClientFailureTests {
    private func started(_ arguments: [String] = []) async throws -> (MartletProcess, url: String) {
        let server = try MartletProcess(["-a", "127.0.0.1", "-p", "-1"] + arguments)
        try await server.waitForLog("Server is ready")
        let port = try server.port(after: "Listening for client connections")
        return (server, "nats://127.0.0.1:\(port)")
    }

    /// Nobody listens there; a moment ago somebody could.
    private func freeURL() throws -> String {
        let socket = try ListeningSocket(HostAndPort(host: "127.0.0.1", port: 0))
        close(socket.descriptor)
        return "127.0.0.1:\(socket.port)"
    }

    @Test("servers are tried in their order, from the option and from NATS_URL")
    func severalServers() async throws {
        let (server, url) = try await started()
        defer { server.signal(SIGINT) }
        let servers = "\(try freeURL()),\(url)"
        let byOption = try MartletProcess(["pub", "x", "y", "-s", servers])
        #expect(try await byOption.exitCode() == 0)
        let byVariable = try MartletProcess(
            ["NATS_URL=\(servers)", MartletProcess.executable, "pub", "x", "y"],
            executable: "/usr/bin/env")
        #expect(try await byVariable.exitCode() == 0)
    }

    @Test("without any server, each is named, and the exit code is 2")
    func noServer() async throws {
        let (first, second) = (try freeURL(), try freeURL())
        let process = try MartletProcess(["pub", "x", "y", "-s", "\(first),\(second)"])
        #expect(try await process.exitCode() == 2)
        #expect(
            process.log
                == "martlet: cannot connect to \(first): connection refused; "
                + "cannot connect to \(second): connection refused\n")
    }

    @Test(
        "wrong arguments end with 64, before anything is connected",
        arguments: [
            (["pub", "a", "b", "-s", "http://x"], "only nats:// addresses are supported"),
            (["sub", "a", "-s", "x:0"], "not a server address: x:0"),
            (["request", "a", "b", "-s", ","], "not a server address: "),
            (["pub", "a b", "c"], "\"a b\" is no subject to publish to"),
            (["pub", "a", "b", "--reply", "c.*"], "\"c.*\" is no subject to publish to"),
            (["request", "a b", "c"], "\"a b\" is no subject to publish to"),
            (["sub", "a b"], "\"a b\" is no subject to subscribe to"),
            (["sub", "a", "--queue", "b c"], "\"b c\" is no name of a queue"),
            (["pub", "a", "b", "-H", "c"], "a header is \"Name: value\", not \"c\""),
            (["pub", "a", "b", "-H", "c d: e"], "c d"),
        ])
    func wrongArguments(arguments: [String], message: String) async throws {
        let process = try MartletProcess(arguments)
        #expect(try await process.exitCode() == 64)
        #expect(process.log.hasPrefix("martlet: "))
        #expect(process.log.contains(message), "\(process.log)")
    }

    @Test("a server that refuses the client counts more than one that is not there")
    func refusedByOne() async throws {
        let (server, url) = try await started(["--user", "a", "--pass", "b"])
        defer { server.signal(SIGINT) }
        let process = try MartletProcess(["pub", "x", "y", "-s", "\(url),\(try freeURL())"])
        #expect(try await process.exitCode() == 1)
        #expect(process.log.contains("server error: 'Authorization Violation'; cannot connect"))
    }

    @Test("what rules do not let through is not published")
    func refusedByRule() async throws {
        let directory = try RulesDirectory()
        try directory.write("rules.conf", "rules { a { subject: a, validate: json } }")
        let server = try MartletProcess(["-a", "127.0.0.1", "-c", directory.configuration])
        defer { server.signal(SIGINT) }
        try await server.waitForLog("Server is ready")
        let port = try server.port(after: "Listening for client connections")
        func publish(_ payload: String, _ more: [String] = []) throws -> MartletProcess {
            try MartletProcess(["pub", "a", payload, "-s", "127.0.0.1:\(port)"] + more)
        }
        let good = try publish("{}")
        #expect(try await good.exitCode() == 0)
        let bad = try publish("{")
        #expect(try await bad.exitCode() == 1)
        #expect(
            bad.log.hasPrefix(
                "martlet: not published: server error: 'Permissions Violation for Publish to "))
        let withReply = try publish("{", ["--reply", "nobody"])
        #expect(try await withReply.exitCode() == 1)
        let several = try publish("{", ["--count", "3"])
        #expect(try await several.exitCode() == 1)
        #expect(several.log.hasPrefix("martlet: 0 of 3 published for sure: server error: "))
    }

    @Test("a server that goes away ends a subscriber with 2")
    func serverGoes() async throws {
        let (server, url) = try await started()
        let subscriber = try MartletProcess(["sub", "a", "-s", url])
        try await subscriber.waitForLog("Listening on")
        server.signal(SIGKILL)
        #expect(try await subscriber.exitCode() == 2)
        #expect(subscriber.log.hasSuffix("martlet: connection closed by \(url.dropFirst(7))\n"))
    }

    @Test("a server that says nothing more is asked, and then given up")
    func silentServer() throws {
        let server = try ScriptedServer("INFO {}\r\nPONG\r\n")
        let connection = try ClientConnection(server.url, name: "test")
        let failure = #expect(throws: CommandFailure.self) {
            try connection.message(askingAfter: 0.1)
        }
        #expect(failure?.exitCode == CommandFailure.disconnected)
        #expect(failure?.description.hasSuffix("does not answer") == true)
    }

    @Test("what is no NATS server is told")
    func otherServer() throws {
        let server = try ScriptedServer("HTTP/1.1 400 Bad Request\r\n\r\n")
        let failure = #expect(throws: CommandFailure.self) {
            try ClientConnection(server.url, name: "test")
        }
        #expect(failure?.exitCode == CommandFailure.disconnected)
        #expect(failure?.description.contains("is no NATS server: it sent a line that") == true)
    }

    @Test("what a server says cannot move the cursor")
    func controlCharacters() throws {
        let server = try ScriptedServer("INFO {}\r\n-ERR 'a\u{1B}[2J\u{9B}b'\r\n")
        let failure = #expect(throws: CommandFailure.self) {
            try ClientConnection(server.url, name: "test")
        }
        #expect(failure?.description == #"server error: 'a\u{1B}[2J\u{009B}b'"#)
        #expect("a\r\n\tb".printable(keeping: ["\n", "\t"]) == "a\\r\n\tb")
        #expect("ä → \u{200D}".printable == "ä → \u{200D}")
    }

    @Test("a payload on a terminal has no control characters of others, in a file it has")
    func payloadOnTerminal() async throws {
        let (server, url) = try await started()
        defer { server.signal(SIGINT) }
        let (terminal, shown) = try Self.makeTerminal()
        defer { close(terminal) }
        let arguments = ["sub", "a", "--count", "1", "-s", url]
        let onTerminal = try ChildProcess(
            MartletProcess.executable, arguments, output: .descriptor(shown), errors: .null)
        let toFile = try MartletProcess(arguments)
        try await toFile.waitForLog("Listening on")
        try await Task.sleep(for: .milliseconds(500))
        let publisher = try MartletProcess(["pub", "a", "x\u{1B}[2Jy", "-s", url])
        #expect(try await publisher.exitCode() == 0)
        #expect(try await toFile.exitCode() == 0)
        #expect(toFile.output == "x\u{1B}[2Jy\n")
        onTerminal.waitUntilExit()
        close(shown)
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(terminal, &bytes, bytes.count)
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "x\\u{1B}[2Jy\r\n")
    }

    /// Both ends of a pseudo-terminal: what is written to the second is read from the first.
    private static func makeTerminal() throws -> (Int32, Int32) {
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        // TIOCSPTLCK unlocks it, TIOCGPTN says its number; Swift has no names for them.
        var (isLocked, number): (Int32, Int32) = (0, 0)
        try #require(ioctl(terminal, 0x4004_5431, &isLocked) == 0)
        try #require(ioctl(terminal, 0x8004_5430, &number) == 0)
        return (terminal, open("/dev/pts/\(number)", O_RDWR | O_NOCTTY))
    }
}
