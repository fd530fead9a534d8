import MartletTestSupport
import Testing

@Suite("Monitoring without descriptors", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct MonitoringDescriptorsTests {
    @Test("clients and silent connections that take all descriptors keep /healthz from nobody")
    func crowd() async throws {
        try await onThread {
            let server = try MartletProcess(
                ["-a", "127.0.0.1", "-p", "-1", "-m", "-1"], preparation: "ulimit -n 60")
            #expect(eventually { server.log.contains("Server is ready") })
            let port = try server.port(after: "Listening for client connections on")
            let monitoring = try server.port(after: "Starting http monitor on")
            // Those over the limit are closed at once.
            let clients = try (0..<60).map { _ in try RawClient(port: port) }
            #expect(eventually { server.log.contains("too many open files") })
            let crowd = try (0..<40).map { _ in try RawClient(port: monitoring) }
            let started = ContinuousClock.now
            #expect(try HTTPAnswer.to("/healthz", port: monitoring).status == 200)
            // In time the silent ones would be closed anyhow.
            #expect(started.duration(to: .now) < .seconds(4))
            #expect(try crowd[0].readToEnd() == "")
            for connection in clients + crowd { connection.close() }
            #expect(try eventually { try HTTPAnswer.to("/varz", port: monitoring).status == 200 })
        }
    }
}
