import MartletTestSupport
import Testing

@Suite("Clients that come back", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct ReconnectTests {
    @Test("who comes back after all have gone gets in, though there are descriptors for few more")
    func mass() async throws {
        try await onThread {
            let server = try MartletProcess(
                ["-a", "127.0.0.1", "-p", "-1"], preparation: "ulimit -n 100")
            #expect(eventually { server.log.contains("Server is ready") })
            let port = try server.port(after: "Listening for client connections on")
            var clients = try (0..<45).map { _ in try RawClient(port: port) }
            for client in clients { try client.connect() }
            for _ in 0..<20 {
                for client in clients { client.close() }
                clients = try clients.map { _ in try RawClient(port: port) }
                for client in clients { try client.connect() }
            }
            #expect(!server.log.contains("too many open files"))
        }
    }
}
