import Foundation
import Glibc
import MartletTestSupport
import Testing

extension Faults {
    @Suite(.serialized) struct Processes {
        @Test("Without descriptors left it goes on serving, and recovers", arguments: [1, 2])
        func descriptors(loops: Int) throws {
            let server = try ServerProcess(
                "martlet { loops: \(loops) }\nhttp_port: -1", preparation: "ulimit -n 64")
            let first = try server.client()
            try first.send("SUB still 1\r\n")
            var clients: [RawClient] = []
            var refused = 0
            for _ in 0..<150 {
                let client = try RawClient(port: server.port)
                client.timeoutSeconds = 5
                do {
                    try client.connect()
                    clients.append(client)
                } catch {
                    refused += 1
                }
            }
            #expect(refused > 80)
            #expect(clients.count > 20)
            // Some are kept back for those who look after it.
            let monitoring = try server.process.port(after: "Starting http monitor on")
            let page = try RawClient(port: monitoring)
            try page.send("GET /varz HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try page.read(until: "\r\n").hasPrefix("HTTP/1.1 200"))
            page.close()
            let refusals = server.process.log.split(separator: "\n").count {
                $0.contains("too many open files, ")
            }
            #expect((1...20).contains(refusals))
            try clients[0].send("PUB still 2\r\nhi\r\n")
            #expect(try first.message().text == "hi")
            // Nobody comes: it must not spin.
            let before = try server.process.cpuSeconds()
            Thread.sleep(forTimeInterval: 0.5)
            #expect(try server.process.cpuSeconds() - before < 0.2)
            for client in clients.prefix(10) { client.close() }
            #expect(
                eventually { (try? server.client()) != nil }, "\(server.process.log.suffix(4_000))")
            try first.barrier()
            #expect(server.process.isRunning, "\(server.process.log.suffix(4_000))")
        }

        @Test("Killed, it starts again on the same port at once")
        func killed() throws {
            let first = try ServerProcess("")
            let clients = try (0..<20).map { _ in try first.client() }
            first.process.signal(SIGKILL)
            #expect(first.process.ends(within: 5))
            let second = try ServerProcess("", port: first.port)
            for client in clients { #expect(client.isClosed(within: 5)) }
            try second.client().barrier()
        }

        @Test("A full disk under the log file stops nothing")
        func fullDisk() throws {
            // /dev/full says that the disk is full at every write.
            let toFile = try ServerProcess("log_file: /dev/full\ndebug: true", port: freePort())
            let toStandardError = try ServerProcess(
                "debug: true", port: freePort(), errors: .file("/dev/full"))
            for server in [toFile, toStandardError] {
                let steady = try server.client()
                for _ in 0..<200 { try server.client().close() }
                try steady.barrier()
                #expect(server.process.isRunning)
                server.process.signal(SIGINT)
                #expect(server.process.ends(within: 5))
            }
        }

        @Test("SIGINT with a thousand connections ends it at once", arguments: [1, 4])
        func interrupt(loops: Int) throws {
            try allowDescriptors(4_096)
            let server = try ServerProcess("martlet { loops: \(loops) }")
            let clients = try (0..<1_000).map { _ in try server.client() }
            for client in clients { try client.send("SUB a 1\r\n") }
            let started = ContinuousClock.now
            server.process.signal(SIGINT)
            #expect(server.process.ends(within: 5))
            #expect(started.duration(to: .now) < .seconds(2))
            for client in clients { #expect(client.isClosed(within: 1)) }
        }

        @Test("A stop of the whole process is shown as such, and as no turn of the broker's")
        func stopped() throws {
            let server = try ServerProcess("http_port: -1\nmartlet { stall_threshold: 500ms }")
            let monitoring = try server.process.port(after: "Starting http monitor on")
            func varz() throws -> [String: Any] {
                let page = try HTTPAnswer.to("/varz", port: monitoring)
                let varz = try JSONSerialization.jsonObject(with: Data(page.body.utf8))
                return try #require((varz as? [String: Any])?["martlet"] as? [String: Any])
            }
            func standstills() throws -> [String: Any] {
                try #require(try varz()["standstills"] as? [String: Any])
            }
            let publisher = try server.client()
            let busy = String(repeating: "PUB a 1\r\nx\r\n", count: 2_000)
            // In the middle of its turns, as well as between them.
            for _ in 0..<3 {
                for _ in 0..<20 { try publisher.send(busy) }
                server.process.signal(SIGSTOP)
                Thread.sleep(forTimeInterval: 1.2)
                server.process.signal(SIGCONT)
                try publisher.barrier()
            }
            #expect(
                eventually { (try? standstills()["count"] as? Int).map { $0 >= 3 } ?? false })
            #expect(try #require(try standstills()["longest_ns"] as? Int) >= 1_000_000_000)
            #expect(try varz()["stalls"] as? Int == 0)
            #expect(try #require(try varz()["longest_turn_ns"] as? Int) < 500_000_000)
            #expect(eventually { server.process.log.contains("The process stood still for 1") })
        }

        @Test("A paused publisher that hangs up does not keep a loop busy")
        func hangUpWhilePaused() throws {
            let server = try ServerProcess("martlet { max_publish_rate: 100 }")
            let publisher = try server.client()
            try publisher.send(String(repeating: "PUB a 1\r\nx\r\n", count: 500))
            Thread.sleep(forTimeInterval: 0.2)
            publisher.reset()
            let before = try server.process.cpuSeconds()
            Thread.sleep(forTimeInterval: 1)
            #expect(try server.process.cpuSeconds() - before < 0.5)
            try server.client().barrier()
        }
    }
}
