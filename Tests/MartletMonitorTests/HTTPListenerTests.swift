import Glibc
import MartletBroker
import MartletTestSupport
import Testing

@testable import MartletMonitor

@Suite("The HTTP server", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct HTTPListenerTests {
    private func listener(
        _ handler: @escaping HTTPListener.Handler = { .text("path \($0.path)", status: 200) }
    ) throws -> HTTPListener {
        try HTTPListener(host: "127.0.0.1", port: 0, handler: handler)
    }

    @Test("a request may come byte by byte, and with bare line feeds")
    func slowly() async throws {
        try await onThread {
            let listener = try self.listener()
            defer { listener.stop() }
            let connection = try RawClient(port: listener.port)
            for character in "GET /x HTTP/1.1\r\nA: b\r\n\r\n" {
                try connection.send(String(character))
            }
            #expect(try HTTPAnswer(connection.readToEnd()).body == "path /x")
            let plain = try RawClient(port: listener.port)
            try plain.send("GET /y HTTP/1.0\n\n")
            #expect(try HTTPAnswer(plain.readToEnd()).body == "path /y")
        }
    }

    @Test("HEAD gets the header alone")
    func head() async throws {
        try await onThread {
            let listener = try self.listener()
            defer { listener.stop() }
            let answer = try HTTPAnswer.to("/abc", port: listener.port, method: "HEAD")
            #expect(answer.body.isEmpty)
            #expect(answer.fields["content-length"] == "9")
        }
    }

    @Test("a head that is too large or malformed is refused")
    func refused() async throws {
        try await onThread {
            let listener = try self.listener()
            defer { listener.stop() }
            let large = try RawClient(port: listener.port)
            try large.send("GET / HTTP/1.1\r\nA: " + String(repeating: "x", count: 20_000))
            #expect(try HTTPAnswer(large.readToEnd()).status == 431)
            let bad = try RawClient(port: listener.port)
            try bad.send("nonsense\r\n\r\n")
            #expect(try HTTPAnswer(bad.readToEnd()).status == 400)
        }
    }

    @Test("a crowd of silent connections keeps nobody out, and is dropped in time")
    func crowd() async throws {
        try await onThread {
            let listener = try self.listener()
            defer { listener.stop() }
            let crowd = try (0..<(HTTPListener.exchangesMax * 2)).map { _ in
                try RawClient(port: listener.port)
            }
            // Some are dropped by now, to make room for others.
            for connection in crowd { try? connection.send("GET / HT") }
            #expect(try HTTPAnswer.to("/in", port: listener.port).body == "path /in")
            // The deadline closes even the newest of them, without an answer.
            #expect(try crowd.last?.readToEnd() == "")
        }
    }

    @Test("a client that does not read delays nobody")
    func unread() async throws {
        try await onThread {
            let megabytes = [UInt8](repeating: 65, count: 32 << 20)
            let listener = try self.listener { request in
                request.path == "/big" ? HTTPResponse(body: megabytes) : .text("small", status: 200)
            }
            defer { listener.stop() }
            let lazy = try RawClient(port: listener.port)
            try lazy.send("GET /big HTTP/1.1\r\n\r\n")
            for _ in 0..<5 {
                #expect(try HTTPAnswer.to("/", port: listener.port).body == "small")
            }
            #expect(try HTTPAnswer(lazy.readToEnd()).body.utf8.count == megabytes.count)
        }
    }

    @Test("slow answers are made one at a time, a bounded number waits, and others pass them by")
    func slowLane() async throws {
        try await onThread {
            let made = Guarded((running: 0, most: 0, total: 0))
            let mayEnd = Guarded(false)
            defer { mayEnd.withLock { $0 = true } }
            let listener = try HTTPListener(
                host: "127.0.0.1", port: 0, isSlow: { $0.path == "/slow" }
            ) { request in
                guard request.path == "/slow" else { return .text("quick", status: 200) }
                made.withLock {
                    $0.running += 1
                    $0.total += 1
                    $0.most = max($0.most, $0.running)
                }
                while !mayEnd.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(5)) }
                made.withLock { $0.running -= 1 }
                return .text("slow", status: 200)
            }
            defer { listener.stop() }
            let first = try RawClient(port: listener.port)
            try first.send("GET /slow HTTP/1.1\r\n\r\n")
            #expect(eventually { made.withLock { $0.total } == 1 })
            // These hang up before their turn comes.
            for _ in 0..<SlowLane.waitingMax - 1 {
                let gone = try RawClient(port: listener.port)
                try gone.send("GET /slow HTTP/1.1\r\n\r\n")
            }
            let last = try RawClient(port: listener.port)
            try last.send("GET /slow HTTP/1.1\r\n\r\n")
            let surplus = try RawClient(port: listener.port)
            try surplus.send("GET /slow HTTP/1.1\r\n\r\n")
            #expect(try HTTPAnswer(surplus.readToEnd()).status == 503)
            #expect(try HTTPAnswer.to("/", port: listener.port).body == "quick")
            #expect(made.withLock { $0.running } == 1, "the quick one came after the slow one")
            mayEnd.withLock { $0 = true }
            #expect(try HTTPAnswer(first.readToEnd()).body == "slow")
            #expect(try HTTPAnswer(last.readToEnd()).body == "slow")
            #expect(made.withLock { ($0.most, $0.total) } == (1, 2))
        }
    }

    @Test("hosts of every kind", arguments: ["0.0.0.0", "::", "127.0.0.1", "localhost"])
    func hosts(host: String) async throws {
        try await onThread {
            let listener = try HTTPListener(host: host, port: 0) { _ in .text("ok", status: 200) }
            defer { listener.stop() }
            if host == "localhost" { return }
            #expect(try HTTPAnswer.to("/", port: listener.port).body == "ok")
        }
    }

    @Test("a taken port, a bad one and an unknown host are explained")
    func failures() async throws {
        try await onThread {
            let listener = try self.listener()
            defer { listener.stop() }
            func message(_ host: String, _ port: Int) -> String {
                do {
                    try HTTPListener(host: host, port: port) { _ in .notFound }.stop()
                    return "none"
                } catch {
                    return error.description
                }
            }
            #expect(
                message("127.0.0.1", listener.port)
                    == "listen tcp 127.0.0.1:\(listener.port): bind: address already in use")
            #expect(message("127.0.0.1", 70_000) == "listen tcp: address 70000: invalid port")
            #expect(message("no.such.host.invalid", 1).hasPrefix("listen tcp: lookup no.such"))
        }
    }
}
