import Foundation
import MartletBroker
import MartletTestSupport
import Testing

@testable import MartletCLI

@Suite("Monitoring beside nats-server", .serialized, .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct MonitoringKeysTests {
    /// Keys of features that this version lacks, and of the Go runtime.
    private static let absent: Set<String> = [
        "git_commit", "go", "feature_flags", "system_account", "disk_io_wait_stats",
        "account_tag", "name_tag", "rtt",
    ]

    @Test(
        "no key is missing",
        .enabled(if: PeerServer.natsServer.executable != nil),
        arguments: [
            "/varz", "/connz?auth=1&subs=1", "/connz?subs=detail", "/subsz?subs=1", "/healthz",
        ])
    func keys(target: String) async throws {
        let real = try await keys(of: target, from: .natsServer)
        let ours = try await keys(of: target, from: .martlet)
        #expect(real.subtracting(ours) == [])
    }

    private func keys(of target: String, from peer: PeerServer) async throws -> Set<String> {
        let executable = try #require(peer.executable)
        let server = try MartletProcess(
            ["-a", "127.0.0.1", "-p", "-1", "-m", "-1"], executable: executable)
        try await server.waitForLog("Server is ready")
        let port = try server.port(after: "Listening for client connections")
        let client = try ClientConnection(ServerURL("127.0.0.1:\(port)"), name: "keys")
        try client.subscribe("keys", queue: "q", id: 1)
        try client.flush()
        let http = try server.port(after: "Starting http monitor")
        // With HTTP/1.0 the body comes in one piece and ends with the connection.
        let page = try RawClient(port: http)
        try page.send("GET \(target) HTTP/1.0\r\n\r\n")
        let body = try HTTPAnswer(page.readToEnd()).body
        return Self.keys(in: try JSONSerialization.jsonObject(with: Data(body.utf8)))
    }

    /// Every key that this version should have, at every depth.
    private static func keys(in value: Any) -> Set<String> {
        if let object = value as? [String: Any] {
            let present = object.filter { !absent.contains($0.key) }
            return present.values.reduce(into: Set(present.keys)) { $0.formUnion(keys(in: $1)) }
        }
        let list = value as? [Any] ?? []
        return list.reduce(into: []) { $0.formUnion(keys(in: $1)) }
    }
}
