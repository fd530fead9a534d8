import Foundation
import MartletBroker
import MartletTestSupport
import Testing

@testable import MartletCLI

@Suite("The client's texts")
struct ClientTextTests {
    @Test("server addresses")
    func urls() throws {
        let full = try ServerURL("nats://us%40er:p:w@[::1]:42/")
        #expect(full.address == HostAndPort(host: "::1", port: 42))
        #expect(full.user == "us@er")
        #expect(full.password == "p:w")
        let token = try ServerURL("tok@host")
        #expect(token.token == "tok" && token.user == nil)
        #expect(token.address == HostAndPort(host: "host", port: 4222))
        #expect(try ServerURL("::1").address == HostAndPort(host: "::1", port: 4222))
        let several = try ServerURL.list("a:1, nats://u:p@b,[::1]:3")
        #expect(several.map { "\($0.address)" } == ["a:1", "b:4222", "[::1]:3"])
        #expect(several.map(\.user) == [nil, "u", nil])
        #expect(throws: CommandFailure.self) { try ServerURL.list("a,,b") }
        for bad in ["tls://a", "", "nats://", "host:0", "host:70000"] {
            #expect(throws: CommandFailure.self, "\(bad)") { try ServerURL(bad) }
        }
    }

    @Test("headers as people write them")
    func headers() throws {
        let headers = try InProcessHeaders(lines: ["A: b:c", "A:b"])
        #expect(headers.lines == ["A: b:c", "A: b"])
        for bad in ["A", ":b", "A b: c", "A: b\r\nC: d"] {
            #expect(throws: CommandFailure.self, "\(bad)") { try InProcessHeaders(lines: [bad]) }
        }
    }

    @Test("times", arguments: [("2s", 2.0), ("250ms", 0.25), ("1m", 60), ("3", 3)])
    func times(text: String, seconds: Double) {
        #expect(TimeText(argument: text)?.seconds == seconds)
    }

    @Test("bad times", arguments: ["", "s", "0s", "-1s", "nan", "1d"])
    func badTimes(text: String) { #expect(TimeText(argument: text) == nil) }
}

/// A server that the client commands are tried against.
enum PeerServer: String, CaseIterable, CustomTestStringConvertible {
    case martlet, natsServer

    var testDescription: String { rawValue }

    /// NATS_SERVER_BINARY names the real one, or it is the one that dev/setup installs.
    var executable: String? {
        if self == .martlet { return MartletProcess.executable }
        let installed = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../.venv/bin/nats-server").standardizedFileURL.path
        return [environment("NATS_SERVER_BINARY"), installed].compactMap { $0 }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static var available: [PeerServer] { allCases.filter { $0.executable != nil } }
}

@Suite("The client commands against servers", .serialized, .timeLimit(.minutes(2)))
struct ClientCommandTests {
    private func started(
        _ peer: PeerServer, _ arguments: [String] = []
    ) async throws -> (MartletProcess, url: String) {
        let executable = try #require(peer.executable)
        let server = try MartletProcess(
            ["-a", "127.0.0.1", "-p", "-1"] + arguments, executable: executable)
        try await server.waitForLog("Server is ready")
        let port = try server.port(after: "Listening for client connections")
        return (server, "nats://127.0.0.1:\(port)")
    }

    @Test("what is published is printed, with its header", arguments: PeerServer.available)
    func publishAndSubscribe(peer: PeerServer) async throws {
        let (server, url) = try await started(peer)
        defer { server.signal(SIGINT) }
        let subscriber = try MartletProcess(["sub", "a.*", "--count", "3", "--server", url])
        try await subscriber.waitForLog("Listening on")
        try await Task.sleep(for: .milliseconds(200))
        let first = try MartletProcess(
            ["pub", "a.x", "hello", "--header", "K: v", "--count", "2", "--server", url])
        #expect(try await first.exitCode() == 0)
        #expect(first.log.contains("Published 2 messages of 5 bytes to \"a.x\""))
        let second = try MartletProcess(["pub", "a.y", "--server", url], input: "from\nstdin")
        #expect(try await second.exitCode() == 0)
        #expect(try await subscriber.exitCode() == 0)
        #expect(subscriber.output == "hello\nhello\nfrom\nstdin\n")
        #expect(subscriber.log.contains("[#1] \"a.x\", 5 bytes\nK: v\n"))
        #expect(subscriber.log.contains("[#3] \"a.y\", 10 bytes\n"))
    }

    @Test("a queue group shares the messages", arguments: PeerServer.available)
    func queue(peer: PeerServer) async throws {
        let (server, url) = try await started(peer)
        defer { server.signal(SIGINT) }
        let members = try (0..<2).map { _ in
            try MartletProcess(["sub", "q", "--queue", "g", "--quiet", "--server", url])
        }
        try await Task.sleep(for: .milliseconds(500))
        let publisher = try MartletProcess(["pub", "q", "x", "--count", "100", "--server", url])
        #expect(try await publisher.exitCode() == 0)
        try await Task.sleep(for: .milliseconds(200))
        let counts = members.map { $0.output.split(separator: "\n").count }
        #expect(counts.reduce(0, +) == 100)
        #expect(counts.allSatisfy { $0 > 0 })
    }

    @Test("a request is answered by who listens with a reply", arguments: PeerServer.available)
    func reply(peer: PeerServer) async throws {
        let (server, url) = try await started(peer)
        defer { server.signal(SIGINT) }
        let responder = try MartletProcess(
            ["sub", "who", "--reply", "me", "--count", "2", "--server", url])
        try await responder.waitForLog("Listening on")
        try await Task.sleep(for: .milliseconds(200))
        // One that wants no answer gets none.
        let message = try MartletProcess(["pub", "who", "x", "--server", url])
        #expect(try await message.exitCode() == 0)
        let request = try MartletProcess(["request", "who", "is there?", "--server", url])
        #expect(try await request.exitCode() == 0)
        #expect(request.output == "me\n")
        #expect(try await responder.exitCode() == 0)
    }

    @Test(
        "a request without responders, and one that nobody answers", arguments: PeerServer.available
    )
    func request(peer: PeerServer) async throws {
        let (server, url) = try await started(peer)
        defer { server.signal(SIGINT) }
        let nobody = try MartletProcess(["request", "none", "x", "--server", url])
        #expect(try await nobody.exitCode() == 1)
        #expect(nobody.log == "martlet: no responders on \"none\" (503)\n")
        let silent = try MartletProcess(["sub", "quiet", "--server", url])
        try await silent.waitForLog("Listening on")
        try await Task.sleep(for: .milliseconds(200))
        let late = try MartletProcess(
            ["request", "quiet", "x", "--timeout", "300ms", "--server", url])
        #expect(try await late.exitCode() == 1)
        #expect(late.log == "martlet: no answer on \"quiet\" within 0.3s\n")
    }

    @Test("refused credentials and connections are explained", arguments: PeerServer.available)
    func refused(peer: PeerServer) async throws {
        let (server, url) = try await started(peer, ["--user", "a", "--pass", "b"])
        let stranger = try MartletProcess(["pub", "x", "y", "--server", url])
        #expect(try await stranger.exitCode() == 1)
        #expect(stranger.log == "martlet: server error: 'Authorization Violation'\n")
        let known = url.replacingOccurrences(of: "nats://", with: "nats://a:b@")
        let friend = try MartletProcess(["pub", "x", "y", "--server", known])
        #expect(try await friend.exitCode() == 0)
        server.signal(SIGINT)
        #expect(try await server.exitCode() == 0)
        let nobody = try MartletProcess(["pub", "x", "y", "--server", url])
        #expect(try await nobody.exitCode() == 2)
        #expect(nobody.log.contains("connection refused"))
    }
}
